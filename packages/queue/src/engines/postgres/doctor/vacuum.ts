import { type Finding, type Look, ok, spoken, warn, worse } from './finding.ts'

interface Holder {
  what: string
  state: string
  ms: number
  stop: string
}

/** Whatever keeps vacuum from removing dead rows, and counters from being added up. */
export async function oldTransactions({ store, limits }: Look): Promise<Finding[]> {
  const holders = await store.all<Holder>(
    `SELECT concat_ws(' ', 'session', pid, 'of', usename, nullif(application_name, '')) AS what,
       concat_ws(' ', state, 'in database', datname) AS state,
       (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS ms,
       'SELECT pg_terminate_backend(' || pid || ')' AS stop
     FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'
       AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
     UNION ALL
     SELECT concat_ws(' ', 'prepared transaction', gid, 'of', owner), 'in database ' || database,
       (extract(epoch FROM clock_timestamp() - prepared) * 1000)::float8,
       format('ROLLBACK PREPARED %L (or COMMIT PREPARED)', gid)
     FROM pg_prepared_xacts
     ORDER BY ms DESC`,
  )
  const old = holders.filter(each => each.ms >= limits.transactionMs.warn).slice(0, 5)
  const findings = old.map(({ what, state, ms, stop }) =>
    worse(ms, limits.transactionMs)(
      'transactions',
      `${what} has been open for ${spoken(ms)} (${state})`,
      `the dead rows of every table stay until it ends, and counters are not added up: end it (${stop}), and set idle_in_transaction_session_timeout`,
    ),
  )
  if (findings.length === 0)
    findings.push(
      ok('transactions', holders[0] ? `the oldest is open for ${spoken(holders[0].ms)}` : 'none is open'),
    )
  return [...findings, ...(await blindness(store)), ...(await slots(store))]
}

async function blindness(store: Look['store']): Promise<Finding[]> {
  const [row] = await store.all<{ sees: boolean }>(
    `SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees`,
  )
  if (row?.sees) return []
  return [
    warn(
      'transactions',
      "this user sees only its own sessions, so older transactions of others don't show here",
      'run the doctor as a user with the role pg_monitor (GRANT pg_monitor TO …)',
    ),
  ]
}

async function slots(store: Look['store']): Promise<Finding[]> {
  const idle = await store.all<{ name: string; kept: string }>(
    `SELECT slot_name AS name, coalesce(pg_size_pretty(
         CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END), 'some') AS kept
     FROM pg_replication_slots
     WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL OR restart_lsn IS NOT NULL)`,
  )
  return idle.map(({ name, kept }) =>
    warn(
      'replication',
      `nobody uses replication slot ${name}, which keeps ${kept} of WAL and may keep dead rows`,
      `start its reader again, or drop it: SELECT pg_drop_replication_slot('${name}')`,
    ),
  )
}

/** What is written and deleted all the time. */
const liveTables = ['ready', 'delayed', 'lease', 'delta', 'worker', 'counter', 'meta']

interface Table {
  name: string
  dead: number
  live: number
}

export async function deadRows({ store, limits }: Look): Promise<Finding[]> {
  const tables = await store.all<Table>(
    `SELECT relname AS name, n_dead_tup::float8 AS dead, n_live_tup::float8 AS live
     FROM pg_stat_all_tables WHERE schemaname = $1 AND relname = ANY ($2) ORDER BY n_dead_tup DESC`,
    [store.schema, liveTables],
  )
  const full = tables.filter(each => each.dead >= limits.deadRows && each.dead > each.live)
  if (full.length === 0)
    return [ok('dead rows', `${tables.reduce((sum, each) => sum + each.dead, 0)} in the live tables`)]
  return full.map(({ name, dead, live }) =>
    warn(
      'dead rows',
      `${name} has ${dead} dead rows and ${live} live ones`,
      `see that no old transaction keeps them and that autovacuum gets through, then VACUUM "${store.schema}"."${name}"`,
    ),
  )
}

export async function autovacuum({ store }: Look): Promise<Finding> {
  const [row] = await store.all<{ on: boolean; counts: boolean; off: string[] | null }>(
    `SELECT current_setting('autovacuum')::bool AS on, current_setting('track_counts')::bool AS counts,
       (SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND EXISTS (SELECT FROM pg_options_to_table(c.reloptions) AS o
          WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::bool)) AS off`,
    [store.schema],
  )
  if (!row?.on || !row.counts)
    return {
      check: 'autovacuum',
      status: 'bad',
      says: `${row?.on ? 'track_counts' : 'autovacuum'} is off: tables only grow, and every claim gets slower`,
      advice: 'set autovacuum = on and track_counts = on',
    }
  if (row.off)
    return warn(
      'autovacuum',
      `switched off for ${row.off.join(', ')}`,
      'ALTER TABLE … RESET (autovacuum_enabled)',
    )
  return ok('autovacuum', 'on')
}
