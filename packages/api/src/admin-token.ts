import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { Problem } from './problem.ts'

/** Answers whether a presented token is the right one, in time that tells nothing about where they differ. */
export function tokenChecker(adminToken: string): (presented: string) => boolean {
  const wanted = digest(adminToken)
  return presented => timingSafeEqual(digest(presented), wanted)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The token of `Authorization: Bearer …` (RFC 6750), or null. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? null
}

/** Lets nobody past without the admin token; without a configured token, nobody at all. */
export function requireAdmin(adminToken: string | null): MiddlewareHandler {
  const isRight = adminToken ? tokenChecker(adminToken) : null
  return async (c, next) => {
    if (!isRight) throw new Problem('no-admin-token', 'Start the server with ADMIN_TOKEN set.')
    const presented = bearerToken(c.req.header('authorization'))
    if (presented === null)
      throw new Problem('unauthorized', 'Send the admin token as Authorization: Bearer <token>.', {
        headers: { 'www-authenticate': 'Bearer realm="millrace"' },
      })
    if (!isRight(presented))
      throw new Problem('unauthorized', 'The token is not the admin token of this server.', {
        headers: { 'www-authenticate': 'Bearer realm="millrace", error="invalid_token"' },
      })
    await next()
  }
}
