import type { Lane } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { Handler } from '../handler.ts'

/** Also by earlier names. Throws `invalid-argument` for two of one name. */
export function handlersByType(handlers: readonly Handler[]): Map<string, Handler> {
  const byType = new Map<string, Handler>()
  for (const handler of handlers)
    for (const type of [handler.job.type, ...handler.job.aliases]) {
      if (byType.has(type))
        throw new QueueError('invalid-argument', `two handlers for the job type ${type}; keep one`)
      byType.set(type, handler)
    }
  return byType
}

/** What a worker claims: in each queue, the types it has handlers for. A job may have been enqueued into any of them. */
export function lanesOf(handlers: readonly Handler[], wanted: readonly string[] | undefined): Lane[] {
  const types = handlers.flatMap(({ job }) => [job.type, ...job.aliases])
  const queues = new Set(wanted ?? handlers.map(({ job }) => job.queue))
  return [...queues].map(queue => ({ queue, types }))
}

/** An option that must be a number of at least `least`. */
export function atLeast(what: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return Math.floor(value)
  throw new QueueError('invalid-argument', `${what} must be a number of at least ${least}, not ${value}`)
}
