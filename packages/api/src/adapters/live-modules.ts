import { Hono } from 'hono'
import { type AnyJob, type Handler, QueueError } from 'millrace'
import type { Module } from '../module.ts'

/**
 * Modules whose handlers and schemas are looked up at each use: when a hot reload has evaluated their files anew, what runs
 * is what was saved last, in the worker that runs already.
 */
export class LiveModules {
  readonly #jobs = new Map<string, AnyJob>()
  readonly #handlers = new Map<string, Handler>()

  /** From now on this is what runs. */
  renew(modules: readonly Module[]): void {
    for (const { jobs, handlers } of modules) {
      for (const job of [...jobs, ...handlers.map(each => each.job)]) this.#jobs.set(job.type, job)
      for (const handler of handlers) this.#handlers.set(handler.job.type, handler)
    }
  }

  of(modules: readonly Module[]): Module[] {
    const live = new Map<string, AnyJob>()
    const liveJob = ({ type }: AnyJob): AnyJob => {
      const known = live.get(type) ?? this.#job(type)
      live.set(type, known)
      return known
    }
    return modules.map(module => ({
      name: module.name,
      jobs: module.jobs.map(liveJob),
      handlers: module.handlers.map(({ job }) => this.#handler(liveJob(job))),
      ...(module.open && { open: context => module.open?.(context) ?? Promise.resolve() }),
      ...(module.routes && { routes: () => module.routes?.() ?? new Hono() }),
      ...(module.close && { close: () => module.close?.() ?? Promise.resolve() }),
    }))
  }

  #handler(job: AnyJob): Handler {
    const { type } = job
    return { job, run: context => found(this.#handlers, type).run(context) }
  }

  #job(type: string): AnyJob {
    const live = {}
    for (const name of Object.keys(found(this.#jobs, type)) as (keyof AnyJob)[])
      Object.defineProperty(live, name, { get: () => found(this.#jobs, type)[name], enumerable: true })
    return live as AnyJob
  }
}

function found<Value>(map: ReadonlyMap<string, Value>, type: string): Value {
  const value = map.get(type)
  if (value === undefined) throw new QueueError('unknown-type', `nothing is known of the job type ${type}`)
  return value
}
