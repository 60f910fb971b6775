import type { Millrace, StopOptions } from 'millrace'
import { accessFromEnvironment } from '../access/from-environment.ts'
import type { AccessOptions } from '../access/options.ts'
import { createApi } from '../api.ts'
import { type Application, type ApplicationOptions, openApplication } from '../application.ts'
import { inTheLog } from '../border/problem-response.ts'
import { refusal } from '../border/refusal.ts'
import { Problem } from '../problem.ts'
import { checkDrainSettings, type DrainSettings } from '../serverless/drain-settings.ts'
import { LiveModules } from './live-modules.ts'
import { closeOnSignals } from './signals.ts'

export interface SharedApplicationOptions extends ApplicationOptions {
  /** Tells it from others in this process. Default `millrace`. */
  name?: string
  /** Who may come in. Default: as the environment says (`accessFromEnvironment`). */
  access?: AccessOptions
  /** See `ApiOptions.drain`. */
  drain?: DrainSettings
  /** Default `false`: nothing is claimed but by a drain. `{}` starts a worker in this process. */
  worker?: ApplicationOptions['worker']
}

/** An application that opens at its first use, once a process. */
export interface SharedApplication {
  /** Opens it, unless it is open: the store, the modules, and the worker if there is to be one. */
  open(): Promise<Application>
  /** Opens it, and answers its queue: to enqueue, to ask, to steer. */
  millrace(): Promise<Millrace>
  /** Opens it, and answers by its API; 503 while it can't be opened. */
  fetch(request: Request, env?: object): Promise<Response>
  /** What runs gets to the deadline (default: at once) and is given back. The next use opens it again. */
  close(options?: StopOptions): Promise<void>
}

/**
 * An application of which there is one in a process, kept on `globalThis` by its name: however often a bundler has copied
 * or a hot reload has evaluated the file that makes it, there is one store and at most one worker. Handlers and schemas
 * are those of the last evaluation. When what a worker or a store is made from has changed (the URL, a token, options, job
 * types, queues), the old one is closed first, its running jobs given back unspent. SIGTERM and SIGINT do the same.
 *
 * Opens nothing by itself, so that a build can import it. Throws `invalid-argument` for a `drain` that can't work.
 */
export function sharedApplication(options: SharedApplicationOptions): SharedApplication {
  const { name = 'millrace', modules = [], drain } = options
  const handlers = modules.flatMap(each => each.handlers)
  if (drain) checkDrainSettings(drain, handlers)
  const slot = slotOf(name)
  slot.declare(options)
  return {
    open: async () => (await slot.open()).application,
    millrace: async () => (await slot.open()).application.millrace,
    fetch: (request, env) => slot.fetch(request, env),
    close: stop => slot.close(stop),
  }
}

/** Requests that are still not answered by then are not waited for. */
const longestRequestMs = 5_000

interface Running {
  application: Application
  api: ReturnType<typeof createApi>
  underWay: Set<Promise<unknown>>
  stopping: AbortController
}

interface Opening {
  key: string
  opened: Promise<Running>
}

/** The place of one application in this process. */
class Slot {
  readonly #live = new LiveModules()
  #declared: { key: string; options: SharedApplicationOptions } | null = null
  #current: Opening | null = null
  #closing: Promise<void> = Promise.resolve()
  #hears = false

  declare(options: SharedApplicationOptions): void {
    this.#live.renew(options.modules ?? [])
    this.#declared = { key: keyOf(options), options }
    // An old worker would go on by the old rules until somebody comes by.
    if (this.#current && this.#current.key !== this.#declared.key) this.open().catch(() => {})
  }

  open(): Promise<Running> {
    const declared = this.#declared
    if (!declared) throw new Error('an application is opened before it is declared')
    if (this.#current?.key === declared.key) return this.#current.opened
    if (this.#current) void this.close()
    // Not before: what is only imported, as by a build, shall leave signals alone.
    if (!this.#hears) closeOnSignals(() => this.close())
    this.#hears = true
    const opened = this.#closing.then(() =>
      start(declared.options, this.#live, this.#access(declared.options)),
    )
    const opening = { key: declared.key, opened }
    this.#current = opening
    // The next use tries again.
    opened.catch(() => {
      if (this.#current === opening) this.#current = null
    })
    return opened
  }

  /** Its `authenticate` is live, as handlers are. */
  #access({ access = accessFromEnvironment() }: SharedApplicationOptions): AccessOptions {
    if (!access.authenticate) return access
    return {
      ...access,
      authenticate: request => this.#declared?.options.access?.authenticate?.(request) ?? null,
    }
  }

  async fetch(request: Request, env?: object): Promise<Response> {
    let running: Running
    try {
      running = await this.open()
    } catch (error) {
      console.error('millrace can not be opened:', error)
      const problem = new Problem('unavailable', inTheLog)
      return refusal(problem, new URL(request.url).pathname)
    }
    const answer = Promise.resolve(running.api.fetch(request, env))
    const settled = answer.then(
      () => {},
      () => {},
    )
    running.underWay.add(settled)
    void settled.then(() => running.underWay.delete(settled))
    return answer
  }

  close(stop: StopOptions = { deadlineMs: 0 }): Promise<void> {
    const current = this.#current
    this.#current = null
    if (current) {
      const before = this.#closing
      this.#closing = before.then(async () => {
        const running = await current.opened.catch(() => null)
        if (running) await end(running, stop)
      })
    }
    return this.#closing
  }
}

async function start(
  options: SharedApplicationOptions,
  live: LiveModules,
  access: AccessOptions,
): Promise<Running> {
  const { url, drain, worker = false } = options
  const modules = live.of(options.modules ?? [])
  const application = await openApplication({ url, modules, worker })
  try {
    const { millrace } = application
    const stopping = new AbortController()
    const { signal } = stopping
    const api = createApi({ millrace, access, modules, stopping: signal, ...(drain ? { drain } : {}) })
    await application.worker?.start()
    return { application, api, underWay: new Set(), stopping }
  } catch (error) {
    await application.close({ deadlineMs: 0 }).catch(() => {})
    throw error
  }
}

async function end({ application, underWay, stopping }: Running, stop: StopOptions): Promise<void> {
  stopping.abort()
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, longestRequestMs)
  await Promise.race([Promise.all([application.worker?.stop(stop), ...underWay]), late.promise])
  clearTimeout(timer)
  await application.close(stop).catch((error: unknown) => console.error('millrace:', error))
}

/** What a store and a worker are made from. Handlers and schemas are live, and not part of it. */
function keyOf({ url, modules = [], access, drain, worker }: SharedApplicationOptions): string {
  const made = modules.map(({ name, jobs, handlers }) => ({
    name,
    jobs: jobs.map(({ type, queue, aliases, retention }) => ({ type, queue, aliases, retention })),
    handled: handlers.map(each => each.job.type),
  }))
  return JSON.stringify({ url, made, access: access ?? accessFromEnvironment(), drain, worker })
}

const slots = Symbol.for('millrace.applications')

function slotOf(name: string): Slot {
  const place = globalThis as { [slots]?: Map<string, Slot> }
  place[slots] ??= new Map()
  const known = place[slots].get(name) ?? new Slot()
  place[slots].set(name, known)
  return known
}
