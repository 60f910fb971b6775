import type { Hono } from 'hono'
import type { Millrace, StopOptions, Worker } from 'millrace'
import { createApi } from './api.ts'
import { type ApplicationOptions, openApplication } from './application.ts'
import { listen } from './http-listener.ts'

export interface ServerOptions extends ApplicationOptions {
  /** Null or empty: the API is closed to everybody; `/health` answers. */
  adminToken: string | null
  /** 0 for any free port. Default 3000. */
  port?: number
  /** Default 127.0.0.1: this machine only. */
  host?: string
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
  const { adminToken, modules = [], host = '127.0.0.1', port = 3_000 } = options
  let api: Hono | null = null
  // The port comes first: a second server started by mistake is refused before it touches the store.
  const http = await listen({ fetch: request => (api ? api.fetch(request) : notYet()), host, port })
  try {
    const application = await openApplication(options)
    const { millrace, worker } = application
    let closing: Promise<void> | null = null
    const close = async (stop?: StopOptions): Promise<void> => {
      const requestsMs = Math.min(stop?.deadlineMs ?? longestRequestMs, longestRequestMs)
      await Promise.allSettled([http.close(requestsMs), worker?.stop(stop)])
      await application.close(stop)
    }
    try {
      api = createApi({ millrace, adminToken, modules })
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

function notYet(): Response {
  return new Response(null, { status: 503, headers: { 'retry-after': '1' } })
}
