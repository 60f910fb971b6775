import { QueueError } from '../engine/errors.ts'

const bytesMost = 16 * 1024
/**
 * A value as JSON of at most 16 KiB. One that is longer becomes `{ "cut": true, "bytes": …, "head": "…" }`, with the
 * beginning of its text. Throws `invalid-argument` for what is no JSON.
 */
export function auditJson(what: string, value: unknown): string | null {
  if (value === undefined || value === null) return null
  const json = encode(what, value)
  const bytes = Buffer.byteLength(json)
  if (bytes <= bytesMost) return json
  for (let length = bytesMost; ; length = Math.floor(length * 0.8)) {
    // Quoted once more, it may grow.
    const cut = JSON.stringify({ cut: true, bytes, head: json.slice(0, length).toWellFormed() })
    if (Buffer.byteLength(cut) <= bytesMost) return cut
  }
}

function encode(what: string, value: unknown): string {
  let cause: unknown
  try {
    const json = JSON.stringify(value) as string | undefined
    if (json !== undefined) return json
  } catch (error) {
    cause = error
  }
  throw new QueueError('invalid-argument', `${what} must be a JSON value`, { cause })
}
