import {
  createMillrace,
  createWorker,
  type Handler,
  type Millrace,
  openEngine,
  type StopOptions,
  type Worker,
  type WorkerOptions,
} from 'millrace'
import type { Module } from './module.ts'

export interface ApplicationOptions {
  /** `file:.millrace/millrace.db` */
  url: string
  modules?: readonly Module[]
  /** `false`: nothing is claimed in this process. */
  worker?: WorkerOptions | false
}

/** A store, the modules on it, and a worker for their handlers: everything but HTTP. */
export interface Application {
  readonly millrace: Millrace
  /** Of all modules. */
  readonly handlers: readonly Handler[]
  /** Made, not started. Null without handlers, or when the options say so. */
  readonly worker: Worker | null
  /** Drains the worker to the deadline, closes the modules, then the store. Idempotent. */
  close(options?: StopOptions): Promise<void>
}

/** Opens the store and the modules. Whatever fails, what was opened before it is closed again. */
export async function openApplication(options: ApplicationOptions): Promise<Application> {
  const { url, modules = [] } = options
  const millrace: Millrace = createMillrace({
    engine: openEngine(url),
    jobs: modules.flatMap(each => each.jobs),
  })
  const opened: Module[] = []
  let worker: Worker | null = null
  const close = once(async (stop?: StopOptions) => {
    const faults: unknown[] = []
    const attempt = (work: Promise<void> | undefined): Promise<unknown> =>
      Promise.resolve(work).catch((error: unknown) => faults.push(error))
    await attempt(worker?.stop(stop))
    for (const module of opened.reverse()) await attempt(module.close?.())
    await attempt(millrace.close())
    if (faults.length > 0) throw faults[0]
  })
  try {
    await millrace.open()
    for (const module of modules) {
      opened.push(module)
      await module.open?.({ url, millrace })
    }
    worker = makeWorker(millrace, modules, options.worker)
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  return { millrace, handlers: modules.flatMap(each => each.handlers), worker, close }
}

function makeWorker(
  millrace: Millrace,
  modules: readonly Module[],
  options: WorkerOptions | false = {},
): Worker | null {
  const handlers = modules.flatMap(each => each.handlers)
  if (options === false || handlers.length === 0) return null
  return createWorker(millrace, handlers, options)
}

function once<Argument>(
  work: (argument?: Argument) => Promise<void>,
): (argument?: Argument) => Promise<void> {
  let running: Promise<void> | null = null
  return argument => {
    running ??= work(argument)
    return running
  }
}
