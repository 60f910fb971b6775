import { pipeline, type Duplex, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { FetchFailure } from './fetch-errors.ts'

export const acceptEncoding = 'gzip, deflate, br'

/** The body with its HTTP content codings undone, at most `maxBytes` of it. */
export async function* decodedBody(
  raw: Readable,
  contentEncoding: string | undefined,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    const decoders = decodersFor(contentEncoding)
    // pipeline() takes any number of streams at run time, but its types want them spelt out.
    const chain = pipeline as unknown as (streams: (Readable | Duplex)[], done: () => void) => Readable
    const source = decoders.length === 0 ? raw : chain([raw, ...decoders], () => undefined)
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxBytes) throw new FetchFailure('too-large', `the body exceeds ${maxBytes} bytes`)
      yield chunk
    }
  } finally {
    raw.destroy()
  }
}

function decodersFor(contentEncoding: string | undefined): Duplex[] {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map(coding => coding.trim())
    .filter(coding => coding !== '' && coding !== 'identity')
  if (codings.length > 2) throw new FetchFailure('protocol', `${codings.length} content codings`)
  return codings.reverse().map(coding => {
    if (coding === 'gzip' || coding === 'x-gzip') return createGunzip()
    if (coding === 'deflate') return createInflate()
    if (coding === 'br') return createBrotliDecompress()
    if (coding === 'zstd') return createZstdDecompress()
    throw new FetchFailure('protocol', `unknown content coding ${coding.slice(0, 40)}`)
  })
}

/** Reads a body to its end. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
}
