import { exitCodes } from './errors.ts'

/**
 * One Ctrl-C can arrive twice: a terminal signals the whole process group, and npm passes on what it got itself. A
 * person's second one comes later than this.
 */
const sameSignalMs = 300

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interruption {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** Gives the signals back to Node. */
  release(): void
}

/** Hears SIGINT, SIGTERM and SIGHUP. The first asks for a calm end; the second ends the process at once. */
export function hearInterruption(): Interruption {
  const controller = new AbortController()
  let firstAt = 0
  const hear = (): void => {
    if (!controller.signal.aborted) {
      firstAt = performance.now()
      controller.abort()
    } else if (performance.now() - firstAt > sameSignalMs) process.exit(exitCodes.interrupted)
  }
  for (const name of signals) process.on(name, hear)
  const watch = watchParent(() => controller.abort())
  return {
    signal: controller.signal,
    release: () => {
      clearInterval(watch)
      for (const name of signals) process.off(name, hear)
    },
  }
}

/**
 * npm passes SIGTERM on to the shell between it and this process, and that shell dies without a word to its child. A
 * process that npm started ends when its parent does.
 */
function watchParent(gone: () => void): NodeJS.Timeout | undefined {
  if (!process.env.npm_lifecycle_event) return undefined
  const parent = process.ppid
  return setInterval(() => {
    if (process.ppid !== parent) gone()
  }, 1_000).unref()
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/**
 * Ends the process when its output is written, although something may still hold it open: a handler that went on
 * after its signal is not waited for a second time.
 */
export function exitNow(): void {
  process.stdout.write('', () => process.exit())
}
