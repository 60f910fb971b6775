import { type Clock, systemClock } from '../../engine/clock.ts'
import { checkSchema, readUrl } from './connect.ts'
import { clockSkew, connectionMode, connections, durability, versions } from './doctor/connection.ts'
import {
  bad,
  type Check,
  defaultLimits,
  type Finding,
  type Limits,
  type Look,
  warn,
} from './doctor/finding.ts'
import { lag, unfolded, workers } from './doctor/queues.ts'
import { indexes, partitions, pendingMigrations } from './doctor/schema.ts'
import { autovacuum, deadRows, oldTransactions } from './doctor/vacuum.ts'
import { Store } from './store.ts'

export type { Finding, Limits }

export interface ExamineOptions {
  /** This machine's, which is compared with the database's. */
  clock?: Clock
  limits?: Partial<Limits>
}

/** What can be asked without this library's tables. */
const ofServer: [string, Check][] = [
  ['connection', connectionMode],
  ['versions', versions],
  ['durability', durability],
  ['clock', clockSkew],
  ['connections', connections],
  ['autovacuum', autovacuum],
  ['transactions', oldTransactions],
]
const ofStore: [string, Check][] = [
  ['dead rows', deadRows],
  ['indexes', indexes],
  ['partitions', partitions],
  ['counters', unfolded],
  ['workers', workers],
  ['lag', lag],
]

/**
 * Looks at a store on Postgres (by its URL, or open) and at what around it makes queues slow or unsafe. It changes
 * nothing, throws for nothing that it finds, and a look that fails is a finding.
 */
export async function examine(of: Store | string, options: ExamineOptions = {}): Promise<Finding[]> {
  const clock = options.clock ?? systemClock
  const limits = { ...defaultLimits, ...options.limits }
  if (of instanceof Store) return looks({ store: of, clock, limits })
  const settings = readUrl(of)
  if (settings.schema !== undefined) checkSchema(settings.schema)
  const store = new Store({ ...settings, connections: 1 }, systemClock)
  try {
    await store.open()
    return await looks({ store, clock, limits })
  } catch (error) {
    return [bad('connection', message(error), 'see that the server runs, and what MILLRACE_URL says')]
  } finally {
    await store.close()
  }
}

async function looks(look: Look): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [name, check] of ofServer) findings.push(...(await made(name, check, look)))
  const migrations = await made('migrations', pendingMigrations, look)
  findings.push(...migrations)
  if (migrations.some(({ status }) => status !== 'ok')) return findings
  for (const [name, check] of ofStore) findings.push(...(await made(name, check, look)))
  return findings
}

async function made(name: string, check: Check, look: Look): Promise<Finding[]> {
  try {
    return [await check(look)].flat()
  } catch (error) {
    return [
      warn(
        name,
        `could not be looked at: ${message(error)}`,
        "run the doctor as the schema's owner, or as a user with the reader's role (sql/postgres-roles.sql)",
      ),
    ]
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
