import { type Route, route } from '../border/route.ts'
import { readSeries, readStats } from '../contract/stats.ts'
import { defined } from '../defined.ts'
import { seriesDocument } from '../documents/index.ts'

const hourMs = 3_600_000

export const statsRoutes: Route[] = [
  route(readStats, async ({ millrace }) => ({ status: 200, body: await millrace.stats() })),

  route(readSeries, async ({ millrace, query }) => {
    const { from, stepMinutes, type, queue, by } = query
    const until = query.until ?? millrace.clock.now()
    const lines = await millrace.series({
      from: from ?? until - hourMs,
      until,
      stepMs: stepMinutes * 60_000,
      ...defined({ types: type, queues: queue, by }),
    })
    return { status: 200, body: { lines: lines.map(seriesDocument) } }
  }),
]
