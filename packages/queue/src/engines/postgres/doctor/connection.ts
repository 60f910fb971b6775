import { readFileSync } from 'node:fs'
import { schemaState } from '../migrate.ts'
import { one } from '../queries.ts'
import { bad, type Finding, type Look, ok, spoken, warn, worse } from './finding.ts'

function release(): string {
  const manifest = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** Several looks, of which the fastest says most of the way there, and least of who else was busy. */
const looks = 7

export async function connectionMode({ store, clock, limits }: Look): Promise<Finding> {
  const tookMs: number[] = []
  for (let n = 0; n < looks; n++) {
    const startedAt = clock.monotonic()
    await store.all('SELECT 1')
    tookMs.push(clock.monotonic() - startedAt)
  }
  const fastestMs = Math.min(...tookMs)
  const { server, listens } = store
  const says = `${server.pooler ? 'through a pooler' : 'direct'}, wake-ups by ${listens ? 'LISTEN' : 'polling'}, ${fastestMs.toFixed(1)} ms there and back`
  if (server.pooler && listens)
    return warn(
      'connection',
      says,
      'a pooler in transaction mode loses what LISTEN hears: leave wakeups=listen out of the URL, unless it pools sessions',
    )
  if (fastestMs > limits.roundTripMs)
    return warn('connection', says, 'the database is far away: run workers in the same region or zone')
  return ok('connection', says)
}

export async function versions({ store }: Look): Promise<Finding> {
  const row = await one<{ server: string }>(store, `SELECT current_setting('server_version') AS server`)
  const { version } = await schemaState(store)
  return ok(
    'versions',
    `PostgreSQL ${row?.server}, schema ${store.schema} version ${version}, millrace ${release()}`,
  )
}

export async function clockSkew({ store, clock, limits }: Look): Promise<Finding> {
  let closest: { aheadMs: number; tookMs: number } | null = null
  for (let n = 0; n < looks; n++) {
    const before = clock.now()
    const startedAt = clock.monotonic()
    const row = await one<{ now: number }>(
      store,
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
    )
    const tookMs = clock.monotonic() - startedAt
    const aheadMs = before + tookMs / 2 - Number(row?.now)
    if (!closest || tookMs < closest.tookMs) closest = { aheadMs, tookMs }
  }
  const { aheadMs = 0, tookMs = 0 } = closest ?? {}
  const off = Math.abs(aheadMs)
  if (off - tookMs / 2 < limits.skewMs.warn) return ok('clock', `the clocks differ by ${spoken(off)}`)
  return worse(off, limits.skewMs)(
    'clock',
    `this machine's clock is ${spoken(off)} ${aheadMs > 0 ? 'ahead of' : 'behind'} the database's`,
    'leases and schedules go by the database, but ids and runAt by this machine: keep both in step (NTP)',
  )
}

interface Durable {
  fsync: string
  pages: string
  readOnly: string
}

export async function durability({ store }: Look): Promise<Finding> {
  const row = await one<Durable>(
    store,
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
       current_setting('transaction_read_only') AS "readOnly"`,
  )
  const { server } = store
  if (row?.readOnly === 'on')
    return bad(
      'durability',
      'the database takes no writes (read-only, or a standby)',
      'name the primary in MILLRACE_URL, or set default_transaction_read_only = off',
    )
  if (row?.fsync === 'off' || row?.pages === 'off')
    return bad(
      'durability',
      `${row.fsync === 'off' ? 'fsync' : 'full_page_writes'} is off: a power cut can destroy the whole database`,
      'set fsync = on and full_page_writes = on, unless all of it can be thrown away',
    )
  const relaxed = ['off', 'local'].includes(server.synchronousCommit)
  if (relaxed && server.pooler)
    return bad(
      'durability',
      `synchronous_commit is ${server.synchronousCommit}: what was acknowledged can be lost when the server dies`,
      "set synchronous_commit = on for this user (ALTER ROLE … SET): through a pooler the engine can't for its own sessions",
    )
  if (relaxed)
    return warn(
      'durability',
      `synchronous_commit is ${server.synchronousCommit}; the engine's own sessions set it on, your transactions do not`,
      'a job that is enqueued in your transaction is as durable as that: set synchronous_commit = on there',
    )
  return ok('durability', `synchronous_commit is ${server.synchronousCommit}`)
}

export async function connections({ store, limits }: Look): Promise<Finding> {
  const row = await one<{ used: number; most: number }>(
    store,
    `SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int4 AS used,
       current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4 AS most`,
  )
  const { used = 0, most = 1 } = row ?? {}
  const says = `${used} of ${most} connections are taken`
  if (used / most < limits.connections) return ok('connections', says)
  return warn(
    'connections',
    says,
    'lower `connections` in the URLs of workers, raise max_connections, or use a pooler',
  )
}
