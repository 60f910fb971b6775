import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answering = (request: IncomingMessage, response: ServerResponse) => void

export interface ScriptedServer extends AsyncDisposable {
  url: string
  /** What was asked, in order. */
  requests: { method: string; path: string; headers: IncomingMessage['headers']; atMs: number }[]
}

/** A real server that answers the first request by the first answer, and all after the last by the last. */
export async function startScripted(...answers: [Answering, ...Answering[]]): Promise<ScriptedServer> {
  const requests: ScriptedServer['requests'] = []
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)] as Answering
    const { method = '', url = '', headers } = request
    requests.push({ method, path: url, headers, atMs: performance.now() })
    request.resume()
    request.once('end', () => answer(request, response))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answering {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Answering {
  const type = { 'content-type': 'application/problem+json' }
  return json(status, { code, status, detail: `It is ${code}.`, faults: [] }, { ...type, ...headers })
}

/** Takes the request and cuts the connection: the reply is lost. */
export const lost: Answering = (request): void => {
  request.socket.destroy()
}

/** What a proxy says for a server that it gets no answer from. */
export function proxyError(status: number): Answering {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>No answer from upstream</h1>')
  }
}

export const silent: Answering = () => {}
