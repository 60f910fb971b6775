import { type Fault, isQueueError } from 'millrace'

export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** Something was asked for in a way that this program does not understand. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Something was understood and could not be done, for a reason that one sentence can tell. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

export interface ErrorReport {
  code: string
  message: string
  faults: Fault[]
  exitCode: number
  /** A fault of this program: people get its stack, to report it. */
  unexpected: boolean
}

export function readError(error: unknown): ErrorReport {
  if (error instanceof UsageError)
    return { code: 'usage', message: error.message, faults: [], exitCode: exitCodes.usage, unexpected: false }
  const failed = { exitCode: exitCodes.failed, unexpected: false }
  if (isQueueError(error))
    return { code: error.code, message: error.message, faults: error.faults, ...failed }
  if (error instanceof CommandError || isStartError(error))
    return { code: error.code, message: error.message, faults: [], ...failed }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'unexpected', message, faults: [], exitCode: exitCodes.failed, unexpected: true }
}

/** Known by its name, so that commands without a server need not load one. */
function isStartError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && error.name === 'StartError'
}
