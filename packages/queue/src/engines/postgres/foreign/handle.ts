import { QueueError } from '../../../engine/errors.ts'

export type Row = Record<string, unknown>

/** A caller's open transaction, whatever library opened it. */
export interface Handle {
  /** What stays the same from one transaction to the next on the same database, as far as the library shows it. */
  home: object
  /** Values go as text, which every library hands on as it is. */
  query(text: string, values: readonly (string | null)[]): Promise<readonly Row[]>
}

/** What a value offers, to tell by it what it is. Null for what is neither an object nor a function. */
export function membersOf(value: unknown): Row | null {
  const has = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return has ? (value as Row) : null
}

export function offers(members: Row, ...names: string[]): boolean {
  return names.every(name => typeof members[name] === 'function')
}

export function refused(why: string): QueueError {
  return new QueueError('invalid-argument', why)
}
