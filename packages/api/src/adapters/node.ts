import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { refusal } from '../border/refusal.ts'
import { Problem } from '../problem.ts'
import { type FetchSource, readSource } from './fetch-source.ts'
import { restoreBody } from './parsed-body.ts'

/** A handler for node:http, and for what stands on it. Resolves when the answer is sent, or its client has gone. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * Answers requests of node:http, Express 5, Fastify 5 and NestJS. A client that goes away aborts the request's signal;
 * answers that stream (SSE) are passed on chunk by chunk. Where a body parser has read the body already, it is written
 * anew from what was parsed; where nothing is left of it, the request is refused with 415 and what to do.
 *
 * ```ts
 * createServer(toNodeHandler(api))                           // node:http
 * app.use('/queue', toNodeHandler(api))                      // Express, Nest: the prefix is taken off
 * scope.all('/api/*', (request, reply) => {                  // Fastify
 *   reply.hijack()
 *   return handler(request.raw, reply.raw)
 * })
 * ```
 */
export function toNodeHandler(source: FetchSource): NodeHandler {
  const fetch = readSource(source)
  const listener = getRequestListener((request, env) => fetch(request, env), { overrideGlobalObjects: false })
  return async (request, response) => {
    try {
      restoreBody(request)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const refused = refusal(error, (request.url ?? '/').replace(/\?.*$/s, ''))
      response.writeHead(refused.status, Object.fromEntries(refused.headers)).end(await refused.text())
      return
    }
    await listener(request, response)
  }
}
