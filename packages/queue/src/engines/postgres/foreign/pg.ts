import { sqlState } from '../postgres-errors.ts'
import { type Handle, membersOf, offers, refused, type Row } from './handle.ts'

/** A `Client` or `PoolClient` of `pg` on which `BEGIN` has been run. */
export interface PgTransaction {
  query(config: { text: string; values?: unknown[] }): Promise<{ rows: Row[] }>
  getTransactionStatus(): 'I' | 'T' | 'E' | null
}

export async function pgHandle(tx: unknown): Promise<Handle | null> {
  const members = membersOf(tx)
  if (!members || !offers(members, 'query', 'connect')) return null
  if (typeof members['totalCount'] === 'number')
    throw refused(
      'tx is a pool of pg, where every statement may take another connection: take one with pool.connect(), run BEGIN on it, and pass that client',
    )
  const client = tx as PgTransaction
  // Clients of before 8.21 and some that imitate pg do not know.
  const status = offers(members, 'getTransactionStatus') ? client.getTransactionStatus() : await probe(client)
  if (status === 'E')
    throw refused('the transaction of tx has failed before: run ROLLBACK, and begin another')
  if (status !== 'T') throw refused('tx has no open transaction: await client.query("BEGIN") first')
  return {
    home: client,
    query: async (text, values) => (await client.query({ text, values: [...values] })).rows,
  }
}

/** Outside a transaction this is refused, and harms nothing. */
async function probe(client: Pick<PgTransaction, 'query'>): Promise<'I' | 'T' | 'E'> {
  try {
    await client.query({ text: 'SAVEPOINT millrace; RELEASE SAVEPOINT millrace' })
    return 'T'
  } catch (error) {
    const state = sqlState(error)
    if (state === '25P01') return 'I'
    if (state === '25P02') return 'E'
    throw error
  }
}
