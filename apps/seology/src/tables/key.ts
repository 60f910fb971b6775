import { createHash } from 'node:crypto'

/** An index entry of PostgreSQL has room for some 2,700 bytes. */
const longestKey = 2_000
const keptOfLonger = 1_900

/** A URL's key as the tables hold it: of one that is too long for an index, its beginning and a hash of the whole. */
export function storedKey(key: string): string {
  if (key.length <= longestKey) return key
  // A key has no fragment of its own, so none is taken for a shortened one.
  return `${key.slice(0, keptOfLonger)}#${createHash('sha256').update(key).digest('hex')}`
}
