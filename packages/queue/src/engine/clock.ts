/**
 * Time, randomness and timers for everything in this library. Production uses `systemClock` and `systemRandom`;
 * tests and simulations pass their own, and then own all the time there is.
 */

export interface Timer {
  cancel(): void
  /** Lets the process end although this timer waits. */
  unref?(): void
}

export interface Clock {
  /** Milliseconds since the Unix epoch. May jump. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. Deadlines are measured on it. */
  monotonic(): number
  /** Calls `fn` once after `ms` milliseconds. Waits longer than a timer can hold are chained. */
  after(ms: number, fn: () => void): Timer
  /** False on a virtual clock, whose timers must not keep waiting for real time. */
  readonly real: boolean
}

export interface Random {
  /** A number in [0, 1). */
  number(): number
  /** `bytes.length` fresh random bytes, filled in place. */
  fill(bytes: Uint8Array): void
}

/** `setTimeout` above 2³¹−1 ms fires at once, so longer waits are made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  real: true,
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    let handle: NodeJS.Timeout
    const arm = (leftMs: number): void => {
      const waitMs = Math.min(Math.max(0, leftMs), LONGEST_TIMER_MS)
      handle = setTimeout(() => (leftMs > waitMs ? arm(leftMs - waitMs) : fn()), waitMs)
    }
    arm(ms)
    return { cancel: () => clearTimeout(handle), unref: () => void handle.unref() }
  },
}

const pool = new Uint8Array(4096)
let poolUsed = pool.length

export const systemRandom: Random = {
  number: () => Math.random(),
  fill(bytes) {
    // One system call for many ids: getRandomValues costs about as much for 4 kB as for 10 bytes.
    if (poolUsed + bytes.length > pool.length) {
      crypto.getRandomValues(pool)
      poolUsed = 0
    }
    bytes.set(pool.subarray(poolUsed, poolUsed + bytes.length))
    poolUsed += bytes.length
  },
}

/** Resolves after `ms` on `clock`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Resolves when `work` has, in whatever way, or after `ms`: for what must not be waited for for ever. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  let timer: Timer | undefined
  const late = new Promise<void>(resolve => {
    timer = clock.after(ms, resolve)
  })
  await Promise.race([late, work.catch(() => {})])
  timer?.cancel()
}

/** Runs `fn` in the next turn of the event loop, when everything that is ready now has run. Not a wait: no time passes. */
export function nextTurn(fn: () => void): void {
  setImmediate(fn)
}
