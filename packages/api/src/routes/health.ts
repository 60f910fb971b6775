import { Hono } from 'hono'
import type { Health, Millrace } from 'millrace'
import { bearerToken, tokenChecker } from '../admin-token.ts'

/** `/health`, for load balancers: 200 or 503, no token needed. The notes can name paths and are the admin's. */
export function healthRoutes(millrace: Millrace, adminToken: string | null): Hono {
  const isAdmin = adminToken ? tokenChecker(adminToken) : () => false
  return new Hono().get('/', async c => {
    const { ok, engine, durability, schemaVersion, notes } = await readHealth(millrace)
    const token = bearerToken(c.req.header('authorization'))
    const shown = { ok, engine, durability, schemaVersion }
    return c.json(token !== null && isAdmin(token) ? { ...shown, notes } : shown, ok ? 200 : 503)
  })
}

async function readHealth(millrace: Millrace): Promise<Health> {
  try {
    return await millrace.health()
  } catch (error) {
    millrace.events.emit('trouble', { where: 'GET /health', error })
    return {
      ok: false,
      engine: 'unknown',
      durability: 'relaxed',
      schemaVersion: 0,
      notes: ['the store does not answer'],
    }
  }
}
