import { Hono } from 'hono'
import { Problem, problemKinds } from '../problem.ts'

/** `/problems`: what the `type` of a problem document leads to. */
export function problemRoutes(): Hono {
  const routes = new Hono()
  routes.get('/', c => c.json(Object.entries(problemKinds).map(([code, kind]) => explain(code, kind))))
  routes.get('/:code', c => {
    const code = c.req.param('code')
    const kind = Object.entries(problemKinds).find(([known]) => known === code)?.[1]
    if (!kind) throw new Problem('route-not-found', 'No problem has this code.')
    return c.json(explain(code, kind))
  })
  return routes
}

function explain(code: string, kind: { status: number; title: string; retryAfterMs?: number }): object {
  return { code, status: kind.status, title: kind.title, tryAgain: kind.retryAfterMs !== undefined }
}
