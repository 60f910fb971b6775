import { type Handle, membersOf, offers, refused, type Row } from './handle.ts'

/** The `Transaction` of Knex: `knex.transaction(async tx => …)`. */
export interface KnexTransaction {
  raw(text: string, bindings: readonly (string | null)[]): PromiseLike<{ rows: unknown[] }>
  isCompleted(): boolean
  savepoint: unknown
}

export function knexHandle(tx: unknown): Handle | null {
  const members = membersOf(tx)
  if (typeof tx !== 'function' || !members || !offers(members, 'raw', 'transaction')) return null
  if (members['isTransaction'] !== true)
    throw refused('tx is a Knex instance: pass the tx that knex.transaction(async tx => …) hands out')
  const knex = tx as unknown as KnexTransaction
  if (knex.isCompleted())
    throw refused('the transaction of tx has ended: enqueue before it commits or rolls back')
  const config = membersOf(membersOf(members['client'])?.['config'])
  return { home: config ?? tx, query: (text, values) => run(knex, text, values) }
}

/** Knex writes a parameter as `?`, one for each place it stands in. */
async function run(knex: KnexTransaction, text: string, values: readonly (string | null)[]): Promise<Row[]> {
  const bindings: (string | null)[] = []
  const raw = text.replaceAll('?', '\\?').replaceAll(/\$(\d+)/g, (_, n: string) => {
    bindings.push(values[Number(n) - 1] ?? null)
    return '?'
  })
  return (await knex.raw(raw, bindings)).rows as Row[]
}
