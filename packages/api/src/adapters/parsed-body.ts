import type { IncomingMessage } from 'node:http'
import { Problem } from '../problem.ts'

/** What body parsers leave on a request: Express's and Nest's `body`, and `rawBody` where they are told to keep it. */
export interface ParsedRequest extends IncomingMessage {
  body?: unknown
  rawBody?: unknown
}

/**
 * Gives a request whose body somebody has read already its bytes back: those that the parser has kept, or what it parsed
 * as JSON or text, written again. Throws a `Problem` when nothing is left that could be read.
 */
export function restoreBody(request: ParsedRequest): void {
  if (!request.readableDidRead || request.method === 'GET' || request.method === 'HEAD') return
  if (!(request.rawBody instanceof Buffer)) request.rawBody = written(request)
  // The parser has unpacked it, and what is written again has its own length.
  for (const name of ['content-encoding', 'content-length']) forget(request, name)
}

function written({ body, headers }: ParsedRequest): Buffer {
  if (Buffer.isBuffer(body)) return body
  if (typeof body === 'string' && !isJson(headers)) return Buffer.from(body)
  if (isJson(headers) && body !== undefined) return Buffer.from(JSON.stringify(body))
  // A parser may look at a body that is not there.
  if (Number(headers['content-length'] ?? 0) === 0 && headers['transfer-encoding'] === undefined)
    return Buffer.alloc(0)
  throw new Problem(
    'unsupported-media-type',
    `Something in this server has read the body (content-type: ${headers['content-type'] ?? 'none'}) before Millrace could, and kept nothing of it. ` +
      'Mount toNodeHandler before the body parser, or let the parser skip its path.',
  )
}

function isJson({ 'content-type': type = '' }: IncomingMessage['headers']): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)
}

function forget(request: IncomingMessage, name: string): void {
  delete request.headers[name]
  const raw = request.rawHeaders
  for (let index = raw.length - 2; index >= 0; index -= 2)
    if (raw[index]?.toLowerCase() === name) raw.splice(index, 2)
}
