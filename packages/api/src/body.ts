import type { Context } from 'hono'
import { decodeForeignJson, type Fault, JsonFault } from 'millrace'
import { Problem } from './problem.ts'

/** Room for the largest payload and what stands around it. */
export const maxBodyBytes = 2 * 2 ** 20

/** The JSON of a body, or undefined when there is none. Throws a `Problem` for what can't be read. */
export async function readJsonBody(c: Context): Promise<unknown> {
  const bytes = await readBytes(c.req.raw)
  if (bytes.length === 0) return undefined
  checkMediaType(c)
  return parse(decode(bytes))
}

async function readBytes(request: Request): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > maxBodyBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function tooLarge(): Problem {
  return new Problem(
    'payload-too-large',
    `The body is more than ${maxBodyBytes} bytes. Store the data elsewhere and enqueue a reference to it.`,
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
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
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
      throw new Problem('malformed-body', `The body is not JSON: ${error.message}.`)
    // The parser recurses, and the stack is finite.
    if (error instanceof RangeError) throw new Problem('malformed-body', 'The body is nested too deeply.')
    throw error
  }
}
