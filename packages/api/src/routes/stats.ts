import { Hono } from 'hono'
import type { Millrace } from 'millrace'

/** `/api/v1/stats` */
export function statsRoutes(millrace: Millrace): Hono {
  return new Hono().get('/', async c => c.json(await millrace.stats()))
}
