import type { Health, Millrace } from 'millrace'
import { type Route, route } from '../border/route.ts'
import { readHealth, readiness } from '../contract/health.ts'

/** For load balancers: no token needed. The notes can name paths and are the admin's. */
export const healthRoutes: Route[] = [
  route(readHealth, async ({ millrace, access, c }) => {
    const { ok, engine, durability, schemaVersion, notes } = await look(millrace)
    const shown = { ok, engine, durability, schemaVersion }
    const identity = c.req.header('authorization') ? await access.identify(c).catch(() => null) : null
    const isAdmin = identity?.principal.role === 'admin'
    return { status: ok ? 200 : 503, body: isAdmin ? { ...shown, notes } : shown }
  }),

  route(readiness, async ({ millrace, stopping }) => {
    const reason = stopping.aborted
      ? 'stopping'
      : (await look(millrace)).ok
        ? null
        : 'the store does not answer'
    if (reason === null) return { status: 200, body: { ready: true as const } }
    return { status: 503, body: { ready: false as const, reason }, headers: { 'retry-after': '5' } }
  }),
]

async function look(millrace: Millrace): Promise<Health> {
  try {
    // Where nobody has asked for anything yet: an API without a server of its own opens its store when it is used.
    await millrace.open()
    return await millrace.health()
  } catch (error) {
    millrace.events.emit('trouble', { where: 'health', error })
    const notes = ['the store does not answer']
    return { ok: false, engine: 'unknown', durability: 'relaxed', schemaVersion: 0, notes }
  }
}
