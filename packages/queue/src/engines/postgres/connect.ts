import type { Client, ClientConfig, Pool, PoolConfig } from 'pg'
import { QueueError } from '../../engine/errors.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?…`; the query may hold the driver's own parameters (`sslmode`). */
  url: string
  /** Where the tables live. Default `millrace`. */
  schema?: string
  /** Connections at most, beside the one that listens. 1: everything goes over a single connection. Default 5. */
  connections?: number
  /**
   * `listen`: wake-ups come by LISTEN/NOTIFY. `poll`: looks twelve times a second, for transaction poolers, which lose
   * them. Default: detected.
   */
  wakeups?: 'listen' | 'poll'
}

/** The driver, loaded when a store is opened: who does not use Postgres need not install it. */
export interface Driver {
  Client: typeof Client
  Pool: typeof Pool
  types: { getTypeParser(oid: number, format?: 'text' | 'binary'): unknown }
}

export async function loadDriver(): Promise<Driver> {
  try {
    const { default: pg } = await import('pg')
    return pg as unknown as Driver
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new QueueError('unsupported', 'the Postgres engine needs the driver: run `npm install pg`', {
      cause: error,
    })
  }
}

const ownParameters = ['schema', 'connections', 'wakeups']

/** Reads this engine's own parameters from a URL. Throws `invalid-argument` for one that can't be meant. */
export function readUrl(url: string): PostgresOptions {
  const parsed = URL.parse(url)
  if (!parsed)
    throw new QueueError(
      'invalid-argument',
      'the postgres URL can not be read; it looks like postgres://user:password@host:5432/database',
    )
  const [schema, connections, wakeups] = ownParameters.map(name => parsed.searchParams.get(name))
  for (const name of ownParameters) parsed.searchParams.delete(name)
  if (schema !== null && schema !== undefined) checkSchema(schema)
  const count = connections === null ? undefined : Number(connections)
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 1_000))
    throw new QueueError(
      'invalid-argument',
      `connections must be a whole number from 1 on, not ${connections}`,
    )
  if (wakeups !== null && wakeups !== 'listen' && wakeups !== 'poll')
    throw new QueueError('invalid-argument', `wakeups must be listen or poll, not ${wakeups}`)
  return {
    url: parsed.href,
    ...(schema ? { schema } : {}),
    ...(count === undefined ? {} : { connections: count }),
    ...(wakeups ? { wakeups: wakeups as 'listen' | 'poll' } : {}),
  }
}

/** The longest name that Postgres keeps whole, in bytes. */
const longestName = 63

export function checkSchema(schema: string): string {
  const bytes = Buffer.byteLength(schema)
  if (bytes === 0 || bytes > longestName || schema.includes('\0') || schema.startsWith('pg_'))
    throw new QueueError(
      'invalid-argument',
      `schema must be a name of 1 to ${longestName} bytes that does not begin with pg_, not ${JSON.stringify(schema)}`,
    )
  return schema
}

/** A statement that is not answered by then has no connection any more. Half-open ones are found within 15 s. */
const answerMs = 10_000
/** The server gives up a little earlier, so that it does not go on with what nobody waits for. */
const statementMs = 9_000
const idleInTransactionMs = 30_000

const int8 = 20
const json = 114

/** Numbers as numbers (no count or instant of ours exceeds 2^53), JSON as the text it is. */
function ownTypes({ types }: Driver): ClientConfig['types'] {
  const getTypeParser = (oid: number, format?: 'text' | 'binary'): unknown => {
    if (oid === int8) return Number
    return oid === json ? String : types.getTypeParser(oid, format)
  }
  return { getTypeParser } as ClientConfig['types']
}

/** How to connect. Behind a pooler, settings that only the server itself takes are left out. */
export function clientConfig(
  driver: Driver,
  url: string,
  options: { pooler: boolean; durable: boolean },
): ClientConfig {
  return {
    connectionString: url,
    application_name: 'millrace',
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    query_timeout: answerMs,
    types: ownTypes(driver) as NonNullable<ClientConfig['types']>,
    ...(options.pooler
      ? {}
      : {
          statement_timeout: statementMs,
          idle_in_transaction_session_timeout: idleInTransactionMs,
          // Compiling a statement costs more than running one of ours.
          options: `-c jit=off${options.durable ? '' : ' -c synchronous_commit=on'}`,
        }),
  }
}

export function poolConfig(client: ClientConfig, connections: number): PoolConfig {
  // The only connection also listens: it stays.
  return { ...client, max: connections, idleTimeoutMillis: connections === 1 ? 0 : 60_000 }
}
