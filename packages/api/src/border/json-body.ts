import type { Context } from 'hono'
import { decodeForeignJson, type Fault, JsonFault } from 'millrace'
import { Problem } from '../problem.ts'

/** Room for the largest payload and what stands around it. */
const usualMaxBytes = 2 * 2 ** 20
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The JSON of a body, or undefined when there is none. Throws a `Problem` for what can't be read. */
export async function readJsonBody(c: Context, maxBytes = usualMaxBytes): Promise<unknown> {
  const bytes = await readBytes(c.req.raw, maxBytes)
  if (bytes.length === 0) return undefined
  checkMediaType(c)
  return parse(decode(bytes))
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes)
  try {
    // No more than it says can come. The listener reads it so without a stream, which costs more than all the rest here.
    if (length !== null) return checkSize(new Uint8Array(await request.arrayBuffer()), maxBytes)
    return await gather(request.body ?? [], maxBytes)
  } catch (error) {
    if (error instanceof Problem) throw error
    // It breaks when its caller goes away, which is no trouble of this server's.
    throw new Problem('malformed-body', 'The body ended before it was whole.')
  }
}

function checkSize(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length > maxBytes) throw tooLarge(maxBytes)
  return bytes
}

async function gather(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(
    'payload-too-large',
    `The body is more than ${maxBytes} bytes. Store the data elsewhere and enqueue a reference to it.`,
  )
}

function checkMediaType(c: Context): void {
  const type = c.req.header('content-type') ?? ''
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type))
    throw new Problem(
      'unsupported-media-type',
      `Send content-type: application/json, in UTF-8${type ? `, not ${type}` : ''}.`,
      { headers: { accept: 'application/json' } },
    )
  const encoding = c.req.header('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity')
    throw new Problem(
      'unsupported-media-type',
      `Send the body as it is, not with content-encoding ${encoding}.`,
    )
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Problem('malformed-body', 'The body is not UTF-8.')
  }
}

function parse(text: string): unknown {
  try {
    return decodeForeignJson(text)
  } catch (error) {
    if (error instanceof JsonFault) {
      const fault: Fault = { path: error.path, message: error.message }
      throw new Problem('malformed-body', `The body is refused: ${error.path.join('.')}: ${error.message}.`, {
        faults: [fault],
      })
    }
    if (error instanceof SyntaxError)
      throw new Problem('malformed-body', `The body is not JSON: ${withoutExcerpt(error.message)}.`)
    // The parser recurses, and the stack is finite.
    if (error instanceof RangeError) throw new Problem('malformed-body', 'The body is nested too deeply.')
    throw error
  }
}

/** V8 quotes what stands around the fault, which can be a secret. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '')
}
