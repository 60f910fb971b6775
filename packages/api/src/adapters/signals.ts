const signals = ['SIGTERM', 'SIGINT'] as const

/**
 * Does `work` when the process is asked to end. Then ends it, unless somebody else has taken that upon themselves: Node no
 * longer does so by itself once anybody listens.
 */
export function closeOnSignals(work: () => Promise<unknown>): void {
  for (const signal of signals) process.once(signal, () => void hear(signal, work))
}

/** How many of ours are still at it. */
let working = 0

async function hear(signal: NodeJS.Signals, work: () => Promise<unknown>): Promise<void> {
  working++
  // Ours are gone from the list, or stand in it as often as they have not heard yet; they all hear in this turn.
  await Promise.resolve()
  const others = process.listenerCount(signal)
  try {
    await work()
  } finally {
    working--
    if (working === 0 && others === 0) process.kill(process.pid, signal)
  }
}
