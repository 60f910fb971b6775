import { type Route, route } from '../border/route.ts'
import { readMetrics } from '../contract/metrics.ts'

export const metricsRoutes: Route[] = [
  route(readMetrics, async ({ metrics }) => {
    const headers = { 'content-type': metrics.contentType }
    return { status: 'raw', body: new Response(await metrics.read(), { headers }) }
  }),
]
