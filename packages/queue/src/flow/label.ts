import { QueueError } from '../engine/errors.ts'

const longest = 200

/** The name of a node, a step or a signal: any text that a database can store and a person can read. */
export function checkLabel(what: string, name: string): string {
  if (typeof name !== 'string' || name.trim().length === 0 || name.length > longest)
    throw new QueueError(
      'invalid-argument',
      `the name of a ${what} must be text of 1 to ${longest} characters, not ${JSON.stringify(name)?.slice(0, 80)}`,
    )
  if (name.includes('\0') || !name.isWellFormed())
    throw new QueueError(
      'invalid-argument',
      `the name of a ${what} holds characters that a database can not store (NUL or half a surrogate pair)`,
    )
  return name
}
