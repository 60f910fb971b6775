import { QueueError } from '../engine/errors.ts'
import { isId } from '../job/id.ts'

/** How far a walk has come. */
export interface SearchPlace {
  /** The engine's own; null at the beginning, and when it is done. */
  cursor: string | null
  done: boolean
  /** The instant of the last job that was looked at. */
  at: number | null
}

/** `pending`: ids of jobs that were found and had no room in the answer. */
export function writeSearchCursor(places: readonly SearchPlace[], pending: readonly string[]): string {
  const walked = places.map(({ cursor, done, at }) => [cursor, done, at])
  return Buffer.from(JSON.stringify([walked, ...pending])).toString('base64url')
}

export function readSearchCursor(text: string, walks: number): { places: SearchPlace[]; pending: string[] } {
  try {
    const [walked, ...pending] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    const places = (walked as unknown[][]).map(([cursor, done, at]) => ({ cursor, done, at }))
    const fits = places.length === walks && places.every(isPlace) && pending.length < 1_000
    if (fits && pending.every(id => typeof id === 'string' && isId(id)))
      return { places, pending: pending as string[] }
  } catch {
    // Told below.
  }
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that a search with this filter has given; search from the beginning',
  )
}

function isPlace(place: { cursor: unknown; done: unknown; at: unknown }): place is SearchPlace {
  const { cursor, done, at } = place
  return (
    (cursor === null || typeof cursor === 'string') &&
    typeof done === 'boolean' &&
    (at === null || Number.isSafeInteger(at))
  )
}
