import { randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { BorderEnv } from './context.ts'

/** Names each request, by the caller's own x-request-id where that is a plain word, and says the name in the answer. */
export const requestId: MiddlewareHandler<BorderEnv> = async (c, next) => {
  const said = c.req.header('x-request-id')
  const id = said !== undefined && /^[\w.:-]{1,100}$/.test(said) ? said : randomUUID()
  c.set('requestId', id)
  await next()
  c.res.headers.set('x-request-id', id)
}
