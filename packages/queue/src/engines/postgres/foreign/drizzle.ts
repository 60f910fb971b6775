import { type Handle, membersOf, offers, refused } from './handle.ts'
import { pgHandle } from './pg.ts'
import { postgresJsHandle } from './postgres-js.ts'

/** The `tx` of `db.transaction(async tx => …)` of Drizzle, over `pg` or `postgres`. */
export interface DrizzleTransaction {
  execute(query: string): PromiseLike<unknown>
  rollback(): never
}

/** Drizzle runs no text with parameters of its own accord, but the driver below it does. */
export async function drizzleHandle(tx: unknown): Promise<Handle | null> {
  const members = membersOf(tx)
  const session = membersOf(members?.['session'])
  if (!members || !session || !offers(members, 'execute', 'transaction')) return null
  if (!offers(members, 'rollback'))
    throw refused('tx is a Drizzle database: pass the tx that db.transaction(async tx => …) hands out')
  const handle = (await pgHandle(session['client'])) ?? postgresJsHandle(session['client'])
  if (handle) return handle
  throw refused('tx is a Drizzle transaction over another driver than pg (node-postgres) or postgres-js')
}
