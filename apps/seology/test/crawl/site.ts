import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface TestSite {
  /** Without a final slash. */
  origin: string
  port: number
  server: Server
  /** Every request, as `METHOD /path`. */
  requests: string[]
  close(): Promise<void>
}

/** A real server on loopback: paths (without query) to handlers, or to HTML. */
export async function startSite(
  routes: Record<string, Handler | string>,
  host = '127.0.0.1',
): Promise<TestSite> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const route = routes[request.url?.split('?', 1)[0] ?? '']
    if (route === undefined)
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>')
    else if (typeof route === 'string') response.setHeader('content-type', 'text/html').end(route)
    else route(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    server,
    requests,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const redirectTo =
  (location: string, status = 302, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(status, { location, ...headers }).end()
