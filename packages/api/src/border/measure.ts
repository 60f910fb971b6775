import type { MiddlewareHandler } from 'hono'
import type { Metrics } from '../metrics/metrics.ts'
import type { BorderEnv } from './context.ts'

/** Counts each request by what it asked for, and measures how long its answer took. */
export function measure(metrics: Metrics, monotonicMs: () => number): MiddlewareHandler<BorderEnv> {
  return async (c, next) => {
    const startedMs = monotonicMs()
    await next()
    metrics.request(c.get('operation') ?? 'none', c.res.status, monotonicMs() - startedMs)
  }
}

/** Says what is asked for, where no operation does. */
export function asking(what: string): MiddlewareHandler<BorderEnv> {
  return async (c, next) => {
    c.set('operation', what)
    await next()
  }
}
