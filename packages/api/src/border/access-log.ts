import type { MiddlewareHandler } from 'hono'
import type { Access } from '../access/access.ts'
import type { BorderEnv } from './context.ts'

/** One request, as a log may keep it: no body, no query, no header, no secret. */
export interface AccessLogEntry {
  at: string
  requestId: string
  method: string
  path: string
  status: number
  tookMs: number
  /** `admin#1`, a user's id; null when nobody was recognised. */
  principal: string | null
  address: string | null
}

export function accessLog(
  write: (entry: AccessLogEntry) => void,
  access: Access,
  now: () => number,
): MiddlewareHandler<BorderEnv> {
  return async (c, next) => {
    const startedAt = now()
    await next()
    write({
      at: new Date(startedAt).toISOString(),
      requestId: c.get('requestId'),
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      tookMs: now() - startedAt,
      principal: c.get('principal')?.name ?? null,
      address: access.addressOf(c),
    })
  }
}
