import type { PostgresPool } from 'kysely'
import pg from 'pg'
import { asQueueError } from './errors.ts'
import type { Place } from './place.ts'

const connectTimeoutMs = 5_000
/** Longer than any statement of ours takes: a connection that is silent for so long is dead. */
const silenceMs = 15_000

/** A few connections of Seology's own. A database that goes away fails what is asked then, and nothing else. */
export function openPool({ connectionString, connections }: Place): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: connections,
    application_name: 'seology',
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    query_timeout: silenceMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
  })
  // Without a listener an error event ends the process. The next statement tells.
  pool.on('error', () => {})
  pool.on('connect', client => void client.on('error', () => {}))
  return pool
}

/** Ids, instants and counts are bigints that a double holds exactly. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format)

/** The pool as Kysely wants it, with the driver's errors told as the queue's. */
export function kyselyPool(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch(rethrow)
      let broken = false
      const query = async (text: string, values: readonly unknown[]): Promise<unknown> => {
        try {
          return await client.query(text, [...values])
        } catch (error) {
          // An answer that comes after all would be taken for the next statement's.
          broken ||= (error as Error).message === 'Query read timeout'
          return rethrow(error)
        }
      }
      return {
        query: query as Awaited<ReturnType<PostgresPool['connect']>>['query'],
        release: (destroy?: boolean) => client.release(destroy === true || broken),
      }
    },
  }
}

function rethrow(error: unknown): never {
  throw asQueueError(error)
}
