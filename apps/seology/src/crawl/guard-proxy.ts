import { randomBytes } from 'node:crypto'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AddressGuard } from './address-guard.ts'
import { describeError, type FetchError } from './fetch-errors.ts'
import { guardedLookup } from './http-agent.ts'

/**
 * A forward proxy on loopback through which the browser reaches the network, and nothing else: documents, sub-resources,
 * redirects, frames, workers and web sockets all pass the address guard here, and the address that was judged is the
 * one that is connected to, so a second DNS answer changes nothing.
 */
export interface GuardProxy {
  port: number
  /** The response header that marks an answer of the proxy's own; its value is unguessable to sites. */
  markHeader: string
  mark: string
  /** Why the last connection to a host (`name:port`) failed, or undefined. */
  failure(authority: string): FetchError | undefined
  close(): Promise<void>
}

const connectTimeoutMs = 10_000
const maxRemembered = 10_000
const hopByHop = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
])

export async function startGuardProxy(guard: AddressGuard): Promise<GuardProxy> {
  const mark = randomBytes(12).toString('hex')
  const markHeader = 'x-guard-proxy'
  const lookup = guardedLookup(guard)
  const agent = new Agent({ keepAlive: true, maxSockets: 32, maxFreeSockets: 32 })
  const failures = new Map<string, FetchError>()
  const sockets = new Set<Duplex>()

  const remember = (authority: string, error: unknown): FetchError => {
    const failure = describeError(error)
    if (failures.size >= maxRemembered) failures.clear()
    failures.set(authority, failure)
    return failure
  }

  function forward(incoming: IncomingMessage, response: ServerResponse): void {
    const url = URL.parse(incoming.url ?? '')
    // A request for the proxy itself comes from a local program, or from a page that found the port.
    if (url === null || url.protocol !== 'http:') {
      response.writeHead(400).end()
      return
    }
    const authority = `${url.hostname}:${url.port || 80}`
    const refuse = (error: unknown) => {
      const { kind, message } = remember(authority, error)
      if (response.headersSent) response.destroy()
      else response.writeHead(502, { [markHeader]: `${mark} ${kind} ${encodeURIComponent(message)}` }).end()
    }
    try {
      guard.checkLiteral(url.hostname)
    } catch (error) {
      refuse(error)
      return
    }
    const outgoing = request({
      agent,
      lookup,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || 80,
      method: incoming.method ?? 'GET',
      path: incoming.url?.replace(/^http:\/\/[^/?#]*/i, '') || '/',
      headers: endToEnd(incoming.rawHeaders),
      setHost: false,
      timeout: 60_000,
    })
    outgoing.on('timeout', () =>
      outgoing.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    )
    outgoing.on('error', refuse)
    outgoing.on('response', answer => {
      failures.delete(authority)
      answer.on('error', () => response.destroy())
      try {
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
        answer.pipe(response)
      } catch (error) {
        // Node parses header lines that it would not write.
        outgoing.destroy()
        refuse(error)
      }
    })
    response.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }

  function tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    const url = URL.parse(`http://${incoming.url ?? ''}`)
    client.on('error', () => client.destroy())
    if (url === null) {
      client.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      return
    }
    const authority = `${url.hostname}:${url.port || 80}`
    const refuse = (error: unknown) => {
      remember(authority, error)
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    }
    try {
      guard.checkLiteral(url.hostname)
    } catch (error) {
      refuse(error)
      return
    }
    let isConnected = false
    const server: Socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 80),
      lookup,
      autoSelectFamily: true,
    })
    sockets.add(server)
    server.setTimeout(connectTimeoutMs, () =>
      server.destroy(Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' })),
    )
    server.once('connect', () => {
      isConnected = true
      server.setTimeout(0)
      failures.delete(authority)
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      if (head.length > 0) server.write(head)
      server.pipe(client)
      client.pipe(server)
    })
    server.on('error', error => (isConnected ? client.destroy() : refuse(error)))
    server.once('close', () => {
      sockets.delete(server)
      if (isConnected) client.destroy()
    })
    client.once('close', () => server.destroy())
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, forward)
  server.on('connect', tunnel)
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('clientError', (_, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })

  return {
    port: (server.address() as AddressInfo).port,
    markHeader,
    mark,
    failure: authority => failures.get(authority),
    close: () =>
      new Promise(resolve => {
        agent.destroy()
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Raw header lines without those that concern one connection only. */
function endToEnd(raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? ''
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, raw[at + 1] ?? '')
  }
  return kept
}
