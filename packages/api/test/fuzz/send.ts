/** Sends a request of the fuzz to its world, without sockets or byte by byte over one. */

import { connect } from 'node:net'
import type { Seen } from '../contract-checks.ts'
import { idMark } from './json-text.ts'
import { callerMark, type FuzzRequest } from './request.ts'
import type { World } from './world.ts'

/** What does nothing to a job that has finished. */
const needsQueued: ReadonlySet<string | null> = new Set(['editJob', 'sendSignal'])

/** The request with its marks replaced by what is in the store. */
export function inWorld(request: FuzzRequest, world: World): FuzzRequest {
  const { jobIds, queuedIds, flowIds, cursors, credentials, fingerprint } = world
  const at = (list: readonly string[]): string => list[request.pick % list.length] ?? ''
  const ids = needsQueued.has(request.operation) ? queuedIds : jobIds
  const id = request.target.includes('/flows/') ? at(flowIds) : at(ids)
  const filled = (text: string): string =>
    text.replaceAll(idMark, id).replaceAll('@cursor', at(cursors)).replaceAll('@fingerprint', fingerprint)
  return {
    ...request,
    target: filled(request.target),
    body: request.body === null ? null : filled(request.body),
    headers: request.headers.map(([name, value]) => [
      name,
      value.startsWith(callerMark) ? (credentials[value.slice(callerMark.length)] ?? '') : value,
    ]),
  }
}

/** As a person would read it, cut where it is long. */
export function readable({ method, target, headers, body }: FuzzRequest): string {
  const cut = (text: string): string =>
    text.length > 400 ? `${text.slice(0, 200)}… (${text.length} characters)` : text
  const lines = headers.map(([name, value]) => `${name}: ${cut(value)}`)
  return [`${method} ${cut(target)}`, ...lines, '', body === null ? '' : cut(body)].join('\n')
}

export async function sendInProcess(request: FuzzRequest, world: World): Promise<Seen> {
  const { method, target, headers, body } = request
  const has = body !== null && !['GET', 'HEAD', 'get'].includes(method)
  const response = await world.fetch(
    new Request(`http://millrace.test${target.startsWith('/') ? target : `/${target}`}`, {
      method,
      headers: new Headers(headers.map(([name, value]): [string, string] => [name, value])),
      ...(has ? { body } : {}),
    }),
  )
  return { status: response.status, headers: response.headers, body: await textOf(response) }
}

/** A stream is not read to its end, which it may not have. */
async function textOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text()
  await response.body?.cancel()
  return ''
}

/** Everything as it is, with a length that may be a lie. Null when the connection ends without an answer. */
export function sendBytes(request: FuzzRequest, world: World, lengthError: number): Promise<Seen | null> {
  const { method, target, headers, body } = request
  const bytes = Buffer.from(body ?? '')
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${new URL(world.server.url).host}`,
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === null ? [] : [`Content-Length: ${bytes.length + lengthError}`]),
  ]
  return answerTo(world, Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]))
}

function answerTo({ server }: World, bytes: Buffer): Promise<Seen | null> {
  const { hostname, port } = new URL(server.url)
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    // The other half stays open, as for a client that has said all it has to say.
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () =>
      socket.end(bytes),
    )
    socket.on('data', chunk => {
      chunks.push(chunk)
      // A stream has no end to wait for.
      if (/^content-type: text\/event-stream/im.test(chunk.toString('latin1'))) socket.destroy()
    })
    // One that is cut while it still sends hears of that as an error, after what it was told.
    socket.on('error', () => {})
    socket.on('close', () => resolve(parsed(Buffer.concat(chunks))))
  })
}

function parsed(bytes: Buffer): Seen | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  // A go-ahead for the body comes before the answer itself.
  if (bytes.subarray(0, 12).toString() === 'HTTP/1.1 100') return parsed(bytes.subarray(end + 4))
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
  const status = Number(first.split(' ')[1])
  const rest = bytes.subarray(end + 4)
  const isChunked = headers.get('transfer-encoding') === 'chunked'
  return { status, headers, body: isChunked ? unchunked(rest) : rest.toString() }
}

function unchunked(bytes: Buffer): string {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16)
    if (lineEnd < 0 || !(size > 0)) break
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 4 + size
  }
  return Buffer.concat(parts).toString()
}
