import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { type Millrace, QueueError } from 'millrace'
import { Access } from './access/access.ts'
import type { AccessOptions } from './access/options.ts'
import { type AccessLogEntry, accessLog } from './border/access-log.ts'
import { AuditTrail } from './border/audit-trail.ts'
import { authenticate, permitStaff } from './border/authenticate.ts'
import type { BorderEnv } from './border/context.ts'
import { asking, measure } from './border/measure.ts'
import { mount } from './border/mount.ts'
import { problemResponder } from './border/problem-response.ts'
import { requestId } from './border/request-id.ts'
import { securityHeaders } from './border/security-headers.ts'
import { Metrics } from './metrics/metrics.ts'
import type { Module } from './module.ts'
import { Problem } from './problem.ts'
import { auditRoutes } from './routes/audit.ts'
import { bulkRoutes } from './routes/bulk.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { drainRoutes } from './routes/drain.ts'
import { enqueueRoutes } from './routes/enqueue.ts'
import { eventRoutes } from './routes/events.ts'
import { flowRoutes } from './routes/flows.ts'
import { healthRoutes } from './routes/health.ts'
import { jobActionRoutes } from './routes/job-actions.ts'
import { jobRoutes } from './routes/jobs.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { problemRoutes } from './routes/problems.ts'
import { queueRoutes } from './routes/queues.ts'
import { mountReference } from './routes/reference.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { loginRoutes, sessionRoutes } from './routes/session.ts'
import { statsRoutes } from './routes/stats.ts'
import { typeRoutes } from './routes/types.ts'
import { workerRoutes } from './routes/workers.ts'
import { type DrainSettings, wholeNumber } from './serverless/drain-settings.ts'
import { createDrainer } from './serverless/drainer.ts'

export interface ApiOptions {
  millrace: Millrace
  /** Who may come in. Without any of it, everything but health is closed. */
  access: AccessOptions
  /** Their routes are mounted under their names. The caller has opened them. */
  modules?: readonly Module[]
  /** Hears of every request when it has been answered. */
  accessLog?: (entry: AccessLogEntry) => void
  /** Lets requests work the modules' jobs: `POST /api/v1/drain`. Absent: that is left to workers. */
  drain?: DrainSettings
  /**
   * How long a bulk action or a redrive works on one request before it answers that it is not complete; below the time
   * limit of whoever stands before the server. Default 20 s, at most 25 s.
   */
  budgetMs?: number
  /** Fires when the server begins to stop: streams and long polls end, and `/ready` says so. */
  stopping?: AbortSignal
}

const usualBudgetMs = 20_000
/** Below the half minute after which a request is given up. */
const longestBudgetMs = 25_000

/**
 * The HTTP border as a Hono app, for a server of its own or to be mounted in another. Throws `invalid-argument` for modules
 * that can't stand beside each other, for access or a budget that can't work, and for jobs that a drain could never
 * finish.
 */
export function createApi(options: ApiOptions): Hono<BorderEnv> {
  const { millrace, modules = [], stopping = new AbortController().signal } = options
  checkModuleNames(modules)
  const now = (): number => millrace.clock.now()
  const access = new Access(options.access, now)
  const handlers = modules.flatMap(each => each.handlers)
  const drainer = options.drain ? createDrainer({ millrace, handlers }, options.drain) : null
  const metrics = new Metrics(millrace)
  const budgetMs = wholeNumber('budgetMs', options.budgetMs ?? usualBudgetMs, 1, longestBudgetMs)
  const services = { millrace, access, drainer, metrics, budgetMs, stopping }
  const audit = new AuditTrail(services)
  const app = new Hono<BorderEnv>()
  const respond = problemResponder(millrace)
  app.onError(respond)
  app.notFound(c => respond(new Problem('route-not-found', `Nothing is at ${c.req.path}.`), c))
  app.use(requestId)
  const { accessLog: log } = options
  if (log) app.use(accessLog(entry => tell(millrace, log, entry), access, now))
  app.use(measure(metrics, () => millrace.clock.monotonic()))
  app.use(securityHeaders)
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => answerMethods(c.req.method, methods, p => respond(p, c)),
    }),
  )

  app.get('/', c =>
    c.json({
      name: 'millrace',
      api: '/api/v1',
      health: '/health',
      problems: '/problems',
      openapi: '/openapi.json',
      reference: '/reference',
    }),
  )
  app.route('/problems', problemRoutes())
  mountReference(app)
  mount(app, [...healthRoutes, ...loginRoutes], services, audit)

  // Everything registered below this line is for those who have said who they are.
  app.use(authenticate(access))
  mount(
    app,
    [
      ...enqueueRoutes,
      ...jobRoutes,
      ...jobActionRoutes,
      ...flowRoutes,
      ...deadLetterRoutes,
      ...bulkRoutes,
      ...typeRoutes,
      ...queueRoutes,
      ...scheduleRoutes,
      ...workerRoutes,
      ...statsRoutes,
      ...drainRoutes,
      ...metricsRoutes,
      ...eventRoutes,
      ...auditRoutes,
      ...sessionRoutes,
    ],
    services,
    audit,
  )
  for (const { name, routes } of modules)
    if (routes) {
      app.use(`/${name}/*`, asking(`module ${name}`), permitStaff)
      app.route(`/${name}`, routes())
    }
  return app
}

/** What is answered has been done: a log that is full must not make a failure of it. */
function tell(millrace: Millrace, log: (entry: AccessLogEntry) => void, entry: AccessLogEntry): void {
  try {
    log(entry)
  } catch (error) {
    millrace.events.emit('trouble', { where: 'access log', error })
  }
}

function answerMethods(method: string, methods: string[], respond: (problem: Problem) => Response): Response {
  const allow = [...methods, 'OPTIONS'].join(', ')
  if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
  return respond(new Problem('method-not-allowed', `It takes ${allow}.`, { headers: { allow } }))
}

const taken = new Set(['api', 'health', 'ready', 'problems', 'openapi.json', 'reference', 'metrics'])

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
