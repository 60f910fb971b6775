import { type Handle, membersOf, offers, refused, type Row } from './handle.ts'

/** The `sql` that `sql.begin(async sql => …)` of `postgres` hands out. */
export interface PostgresJsTransaction {
  unsafe(text: string, values?: string[]): PromiseLike<readonly Row[]>
  savepoint: unknown
}

export function postgresJsHandle(tx: unknown): Handle | null {
  const members = membersOf(tx)
  if (typeof tx !== 'function' || !members || !offers(members, 'unsafe')) return null
  if (!offers(members, 'savepoint'))
    throw refused(
      'tx is a sql of postgres without a transaction: pass the one that sql.begin(async sql => …) hands out',
    )
  const sql = tx as unknown as PostgresJsTransaction
  return { home: tx, query: async (text, values) => [...(await sql.unsafe(text, values as string[]))] }
}
