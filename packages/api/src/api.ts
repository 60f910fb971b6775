import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { type Millrace, QueueError } from 'millrace'
import { requireAdmin } from './admin-token.ts'
import type { Module } from './module.ts'
import { Problem } from './problem.ts'
import { problemResponder } from './problem-response.ts'
import { healthRoutes } from './routes/health.ts'
import { jobRoutes } from './routes/jobs.ts'
import { problemRoutes } from './routes/problems.ts'
import { statsRoutes } from './routes/stats.ts'
import { securityHeaders } from './security-headers.ts'

export interface ApiOptions {
  millrace: Millrace
  /** Null or empty: everything that needs it is closed. */
  adminToken: string | null
  /** Their routes are mounted under their names. The caller has opened them. */
  modules?: readonly Module[]
}

/** The HTTP border as a Hono app, for a server of its own or to be mounted in another. */
export function createApi({ millrace, adminToken, modules = [] }: ApiOptions): Hono {
  checkModuleNames(modules)
  const app = new Hono()
  const respond = problemResponder(millrace)
  app.onError(respond)
  app.notFound(c => respond(new Problem('route-not-found', `Nothing is at ${c.req.path}.`), c))
  app.use(securityHeaders)
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => answerMethods(c.req.method, methods, p => respond(p, c)),
    }),
  )

  app.get('/', c => c.json({ name: 'millrace', api: '/api/v1', health: '/health', problems: '/problems' }))
  app.route('/health', healthRoutes(millrace, adminToken))
  app.route('/problems', problemRoutes())

  // Everything registered below this line needs the token.
  app.use(requireAdmin(adminToken))
  app.route('/api/v1/jobs', jobRoutes(millrace))
  app.route('/api/v1/stats', statsRoutes(millrace))
  for (const module of modules) if (module.routes) app.route(`/${module.name}`, module.routes())
  return app
}

function answerMethods(method: string, methods: string[], respond: (problem: Problem) => Response): Response {
  const allow = [...methods, 'OPTIONS'].join(', ')
  if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
  return respond(new Problem('method-not-allowed', `It takes ${allow}.`, { headers: { allow } }))
}

const taken = new Set(['api', 'health', 'problems'])

function checkModuleNames(modules: readonly Module[]): void {
  const seen = new Set<string>()
  for (const { name } of modules) {
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(name) || taken.has(name))
      throw new QueueError(
        'invalid-argument',
        `${JSON.stringify(name)} can not be a module's name: it is its route prefix`,
      )
    if (seen.has(name)) throw new QueueError('invalid-argument', `two modules are named ${name}`)
    seen.add(name)
  }
}
