import { type Handle, membersOf, offers, refused, type Row } from './handle.ts'

/** The `Transaction` of Kysely: `db.transaction().execute(async tx => …)`, or a controlled one. */
export interface KyselyTransaction {
  readonly isTransaction: true
  executeQuery(query: RawQuery): Promise<{ rows: unknown[] }>
}

/** Kysely's `CompiledQuery`. */
interface RawQuery {
  sql: string
  parameters: readonly unknown[]
  query: { kind: 'RawNode'; sqlFragments: readonly string[]; parameters: readonly never[] }
  queryId: { queryId: string }
}

export function kyselyHandle(tx: unknown): Handle | null {
  const members = membersOf(tx)
  if (!members || typeof members['isTransaction'] !== 'boolean' || !offers(members, 'executeQuery'))
    return null
  if (!members['isTransaction'])
    throw refused(
      'tx is a Kysely database: pass the tx that db.transaction().execute(async tx => …) hands out',
    )
  if (members['isCommitted'] === true || members['isRolledBack'] === true)
    throw refused('the transaction of tx has ended: enqueue before commit() or rollback()')
  const kysely = tx as KyselyTransaction
  return { home: home(members) ?? kysely, query: (text, values) => run(kysely, text, values) }
}

async function run(
  kysely: KyselyTransaction,
  text: string,
  values: readonly (string | null)[],
): Promise<Row[]> {
  const { rows } = await kysely.executeQuery({
    sql: text,
    parameters: values,
    query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
    queryId: { queryId: 'millrace' },
  })
  return rows as Row[]
}

/** One a database. */
function home(members: Row): object | null {
  if (!offers(members, 'getExecutor')) return null
  const executor = membersOf((members as { getExecutor: () => unknown }).getExecutor())
  return membersOf(executor?.['adapter'])
}
