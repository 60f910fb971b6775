import type { MiddlewareHandler } from 'hono'
import type { Access } from '../access/access.ts'
import type { BorderEnv } from './context.ts'
import { permit } from './permit.ts'

/** Lets nobody past who has not said who they are. */
export function authenticate(access: Access): MiddlewareHandler<BorderEnv> {
  return async (c, next) => {
    const identity = await access.identify(c)
    if (!identity) throw access.refusal()
    c.set('identity', identity)
    c.set('principal', identity.principal)
    await next()
  }
}

/**
 * For the routes of modules, whose answers the border can't confine: a module shows what it has to all, so staff of one
 * tenant are refused.
 */
export const permitStaff: MiddlewareHandler<BorderEnv> = async (c, next) => {
  const reads = c.req.method === 'GET' || c.req.method === 'HEAD'
  const { principal } = c.get('identity')
  if (reads) permit(principal, 'modules:read', 'Read what a module shows.')
  else permit(principal, 'modules:change', 'Change what a module keeps.')
  await next()
}
