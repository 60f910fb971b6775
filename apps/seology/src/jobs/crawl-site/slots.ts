/** A limited number of places, given in order of asking. */
export interface Slots {
  /** Waits for a place; answers the way to give it back. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>
}

export function createSlots(most: number): Slots {
  const waiting: (() => void)[] = []
  let free = most

  function giveBack(): void {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }

  return {
    async take(signal) {
      signal.throwIfAborted()
      if (free > 0) free -= 1
      else
        await new Promise<void>((resolve, reject) => {
          const onAbort = () => {
            waiting.splice(waiting.indexOf(start), 1)
            reject(signal.reason)
          }
          const start = () => {
            signal.removeEventListener('abort', onAbort)
            resolve()
          }
          signal.addEventListener('abort', onAbort, { once: true })
          waiting.push(start)
        })
      let given = false
      return () => {
        if (!given) giveBack()
        given = true
      }
    },
  }
}
