import type { Millrace, StopOptions, Worker } from 'millrace'
import type { AccessOptions } from './access/options.ts'
import { createApi } from './api.ts'
import { type ApplicationOptions, openApplication } from './application.ts'
import type { AccessLogEntry } from './border/access-log.ts'
import { refusal } from './border/refusal.ts'
import { listen } from './http-listener.ts'
import { Problem } from './problem.ts'
import type { DrainSettings } from './serverless/drain-settings.ts'

export interface ServerOptions extends ApplicationOptions {
  /** Who may come in. Without any of it the API is closed to everybody; `/health` answers. */
  access: AccessOptions
  /** See `ApiOptions.drain`. */
  drain?: DrainSettings
  /** Hears of every request when it has been answered. */
  accessLog?: (entry: AccessLogEntry) => void
  /** How long a bulk action or a redrive works on one request before it answers that it is not complete. Default 20 s, at most 25 s. */
  budgetMs?: number
  /** 0 for any free port. Default 3000. */
  port?: number
  /** Default 127.0.0.1: this machine only. */
  host?: string
  /**
   * Puts Hono's lighter `Request` and `Response` in place of Node's own, in the whole process, which answers more requests a
   * second. `millrace start` does. Default false.
   */
  overrideGlobalObjects?: boolean
}

export interface MillraceServer {
  /** `http://127.0.0.1:3000` */
  readonly url: string
  readonly millrace: Millrace
  readonly worker: Worker | null
  /** Stops listening, drains the worker to the deadline, closes the modules and the store. Idempotent. */
  close(options?: StopOptions): Promise<void>
}

/** A request that is still not answered by then holds nothing up. */
const longestRequestMs = 5_000

/** API, worker and scheduler in one process. Throws a `StartError` or a `QueueError` when it can't start. */
export async function createServer(options: ServerOptions): Promise<MillraceServer> {
  const { access, accessLog, budgetMs, modules = [], host = '127.0.0.1', port = 3_000 } = options
  let api: ReturnType<typeof createApi> | null = null
  const stopping = new AbortController()
  // The port comes first: a second server started by mistake is refused before it touches the store.
  const http = await listen({
    fetch: (request, env) => (api ? api.fetch(request, env) : notYet(request)),
    host,
    port,
    overrideGlobalObjects: options.overrideGlobalObjects ?? false,
  })
  try {
    const application = await openApplication(options)
    const { millrace, worker } = application
    let closing: Promise<void> | null = null
    const close = async (stop?: StopOptions): Promise<void> => {
      stopping.abort()
      const requestsMs = Math.min(stop?.deadlineMs ?? longestRequestMs, longestRequestMs)
      await Promise.allSettled([http.close(requestsMs), worker?.stop(stop)])
      await application.close(stop)
    }
    try {
      api = createApi({
        millrace,
        access,
        modules,
        stopping: stopping.signal,
        ...(accessLog ? { accessLog } : {}),
        ...(options.drain ? { drain: options.drain } : {}),
        ...(budgetMs === undefined ? {} : { budgetMs }),
      })
      await worker?.start()
    } catch (error) {
      await application.close({ deadlineMs: 0 }).catch(() => {})
      throw error
    }
    return {
      url: http.url,
      millrace,
      worker,
      close: stop => {
        closing ??= close(stop)
        return closing
      },
    }
  } catch (error) {
    await http.close(0)
    throw error
  }
}

function notYet(request: Request): Response {
  const detail = 'The server is starting. Try again in a second.'
  return refusal(new Problem('unavailable', detail, { retryAfterMs: 1_000 }), new URL(request.url).pathname)
}
