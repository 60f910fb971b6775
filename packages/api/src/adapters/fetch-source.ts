/**
 * Answers a web `Request`. Where Node's own listener has taken it, `env` holds Node's request and response: the address
 * that it came from is known from there, and nowhere else.
 */
type Fetch = (request: Request, env?: object) => Response | Promise<Response>

/** Anything that answers a web `Request`: the app of `createApi`, a `SharedApplication`, any Hono app, or a function. */
export type FetchSource = { fetch: Fetch } | Fetch

export function readSource(source: FetchSource): Fetch {
  return typeof source === 'function' ? source : (request, env) => source.fetch(request, env)
}
