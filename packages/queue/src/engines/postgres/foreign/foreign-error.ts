import { asQueueError, isConnectionLoss, sqlState } from '../postgres-errors.ts'
import { membersOf, refused, type Row } from './handle.ts'

/** What went wrong in the caller's transaction, as this library's error where it is known, else as it came. */
export function foreignError(error: unknown): unknown {
  const inner = databaseError(error)
  if (sqlState(inner) === '25P02')
    return refused('the transaction of tx has failed before: roll it back, and begin another')
  const told = asQueueError(inner)
  return told === inner ? error : told
}

/** Libraries wrap what the database said: Drizzle as the cause, Prisma in its own form. */
function databaseError(error: unknown): unknown {
  for (let each = membersOf(error), depth = 0; each && depth < 5; each = membersOf(each['cause']), depth++) {
    const prisma = prismaCause(each)
    if (prisma) return prisma
    if (!isPrismaCode(each) && (sqlState(each) !== undefined || isConnectionLoss(each))) return each
  }
  return error
}

function isPrismaCode({ code }: Row): boolean {
  return typeof code === 'string' && /^P[12]\d{3}$/.test(code)
}

function prismaCause(error: Row): Error | null {
  const adapter = membersOf(membersOf(error['meta'])?.['driverAdapterError'])
  const cause = membersOf(adapter?.['cause'])
  if (typeof cause?.['originalCode'] !== 'string') return null
  const message = String(cause['originalMessage'] ?? 'refused by the database')
  return Object.assign(new Error(message, { cause: error }), { code: cause['originalCode'] })
}
