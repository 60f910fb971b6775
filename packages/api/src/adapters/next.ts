import { type FetchSource, readSource } from './fetch-source.ts'

type NextHandler = (request: Request) => Promise<Response>

/** What a `route.ts` exports. */
export type NextRoutes = Readonly<
  Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS', NextHandler>
>

export interface NextRoutesOptions {
  /**
   * What stands before the API's own paths, such as `/jobs` for `app/jobs/[...millrace]/route.ts`. Default: nothing, for
   * `app/api/[...millrace]/route.ts`, where `/api/v1` and `/api/cron` are at their own addresses.
   */
  prefix?: string
}

/**
 * Route handlers for the App Router of Next.js 16:
 *
 * ```ts
 * // app/api/[...millrace]/route.ts
 * export const { GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS } = toNextRoutes(queue)
 * ```
 *
 * `queue` is a `sharedApplication`: Next evaluates its file once a bundle, and again at each hot reload.
 */
export function toNextRoutes(source: FetchSource, { prefix = '' }: NextRoutesOptions = {}): NextRoutes {
  const fetch = readSource(source)
  const handler: NextHandler = async request => fetch(prefix === '' ? request : without(prefix, request))
  return {
    GET: handler,
    POST: handler,
    PUT: handler,
    PATCH: handler,
    DELETE: handler,
    HEAD: handler,
    OPTIONS: handler,
  }
}

function without(prefix: string, request: Request): Request {
  const url = new URL(request.url)
  if (url.pathname === prefix || url.pathname.startsWith(`${prefix}/`))
    url.pathname = url.pathname.slice(prefix.length) || '/'
  return new Request(url, request)
}
