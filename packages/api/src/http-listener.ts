import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { listenError } from './start-error.ts'

export interface HttpListener {
  /** `http://127.0.0.1:3000` */
  readonly url: string
  /** Takes no new requests, lets those under way finish until the deadline, then cuts every connection. */
  close(deadlineMs: number): Promise<void>
}

export interface ListenOptions {
  /** The second argument holds Node's own request and response. */
  fetch(request: Request, env: object): Response | Promise<Response>
  host: string
  port: number
  /** Hono's lighter `Request` and `Response` in place of Node's own, in the whole process. */
  overrideGlobalObjects?: boolean
}

/** Listens, or throws a `StartError`. */
export async function listen({
  fetch,
  host,
  port,
  overrideGlobalObjects = false,
}: ListenOptions): Promise<HttpListener> {
  const answer = getRequestListener(
    async (request, env) => {
      const response = await fetch(request, env)
      const { incoming, outgoing } = env as HttpBindings
      // What is left of a body that was refused would be read as the next request's beginning.
      if (!incoming.complete) outgoing.setHeader('connection', 'close')
      return response
    },
    { overrideGlobalObjects },
  )
  const underWay = new Set<ServerResponse>()
  const server = createServer(
    { requestTimeout: 60_000 },
    (request: IncomingMessage, response: ServerResponse) => {
      underWay.add(response)
      response.once('close', () => underWay.delete(response))
      void answer(request, response)
    },
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
  return { url: addressUrl(server), close: deadlineMs => close(server, underWay, deadlineMs) }
}

async function close(server: Server, underWay: Set<ServerResponse>, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  const answers = [...underWay].map(response => {
    if (!response.headersSent) response.setHeader('connection', 'close')
    return new Promise<void>(resolve => response.once('close', resolve))
  })
  const deadline = Promise.withResolvers<void>()
  const timer = setTimeout(deadline.resolve, deadlineMs)
  await Promise.race([Promise.all(answers), deadline.promise])
  clearTimeout(timer)
  server.closeAllConnections()
  await closed
}

function addressUrl(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
