import { migrations, pending, schemaState } from '../migrate.ts'
import { one } from '../queries.ts'
import { bad, type Finding, type Look, ok, warn } from './finding.ts'

export async function pendingMigrations({ store }: Look): Promise<Finding> {
  const newest = migrations().at(-1)?.version ?? 0
  const { version, oldest } = await schemaState(store)
  if (oldest > newest)
    return bad(
      'migrations',
      `schema ${store.schema} has version ${version}, made by a newer release; this one knows ${newest}`,
      'upgrade millrace here, or use another schema',
    )
  const missing = await pending(store)
  if (missing.length === 0) return ok('migrations', `up to date at version ${version}`)
  const what = missing.map(each => each.name).join(', ')
  const says = version === 0 ? `schema ${store.schema} has no tables` : `not applied: ${what}`
  return bad('migrations', says, 'run `millrace migrate` (`--sql` prints what it would do)')
}

/** Every index of a new schema, by table. */
export const expectedIndexes: Record<string, readonly string[]> = {
  attempt: ['attempt_pkey'],
  attribute: ['attribute_pkey', 'attribute_value'],
  audit: ['audit_action', 'audit_at', 'audit_id_key', 'audit_pkey', 'audit_principal', 'audit_target'],
  band: ['band_pkey'],
  counter: ['counter_pkey'],
  delayed: ['delayed_pkey'],
  delta: ['delta_seq'],
  edge: ['edge_child', 'edge_pkey'],
  feed: ['feed_batch_key', 'feed_pkey'],
  finished: ['finished_at', 'finished_kind'],
  flow: ['flow_created', 'flow_name', 'flow_pkey', 'flow_state', 'flow_tenant'],
  flow_key: ['flow_key_expiry', 'flow_key_pkey'],
  idempotency: ['idempotency_expiry', 'idempotency_pkey'],
  job: ['job_kind', 'job_pkey', 'job_tenant'],
  job_other: ['job_other_kind_id_idx', 'job_other_pkey', 'job_other_tenant_id_idx'],
  kind: ['kind_pkey', 'kind_queue_type_key'],
  lease: ['lease_pkey'],
  log: ['log_pkey'],
  migration: ['migration_pkey'],
  node: ['node_flow_n_key', 'node_flow_name_key', 'node_pkey'],
  progress: ['progress_pkey'],
  queue: ['queue_pkey'],
  ready: ['ready_band'],
  schedule: ['schedule_pkey'],
  series: ['series_pkey'],
  signal: ['signal_pkey', 'signal_waiting'],
  step: ['step_parked', 'step_pkey'],
  tally: ['tally_pkey'],
  tick: ['tick_pkey'],
  worker: ['worker_name_key', 'worker_pkey', 'worker_uncleared'],
}

export async function indexes({ store }: Look): Promise<Finding[]> {
  const rows = await store.all<{ name: string; of: string; valid: boolean }>(
    `SELECT c.relname AS name, t.relname AS of, i.indisvalid AND i.indisready AS valid
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
     JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = $1`,
    [store.schema],
  )
  const there = new Set(rows.map(row => row.name))
  const missing = Object.values(expectedIndexes)
    .flat()
    .filter(name => !there.has(name))
  const invalid = rows.filter(row => !row.valid).map(row => row.name)
  const findings: Finding[] = []
  if (missing.length > 0)
    findings.push(
      bad(
        'indexes',
        `missing: ${missing.join(', ')}`,
        'create them as sql/postgres/ does (CREATE INDEX CONCURRENTLY while workers run): without them claims read whole tables, or keys are not unique',
      ),
    )
  if (invalid.length > 0)
    findings.push(
      bad('indexes', `not usable: ${invalid.join(', ')}`, 'rebuild each with REINDEX INDEX CONCURRENTLY'),
    )
  return findings.length > 0 ? findings : [ok('indexes', 'all there')]
}

export async function partitions({ store, limits }: Look): Promise<Finding[]> {
  const row = await one<{ now: boolean; ahead: number }>(
    store,
    `WITH week AS (
       SELECT (to_date(substr(c.relname, 5), 'YYYYMMDD') - date_trunc('week', clock_timestamp() AT TIME ZONE 'UTC')::date) / 7 AS n
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
       JOIN pg_namespace s ON s.oid = p.relnamespace
       WHERE s.nspname = $1 AND p.relname = 'job' AND c.relname ~ '^job_[0-9]{8}$')
     SELECT EXISTS (SELECT FROM week WHERE n = 0) AS now,
       (SELECT count(*) FROM week WHERE n > 0 AND n = (SELECT count(*) FROM week e WHERE e.n BETWEEN 1 AND week.n))::int4 AS ahead`,
    [store.schema],
  )
  const { now = false, ahead = 0 } = row ?? {}
  return [weeks(now, ahead, limits.weeksAhead), await otherRows(store)]
}

const makesWeeks =
  'a worker makes them ahead: start one, and look for a transaction that keeps a lock on the table job (a forgotten reader is enough)'

function weeks(now: boolean, ahead: number, least: number): Finding {
  if (!now) return bad('partitions', "there is no partition for this week's jobs", makesWeeks)
  if (ahead < least) return warn('partitions', `made for ${ahead} weeks ahead`, makesWeeks)
  return ok('partitions', `made for ${ahead} weeks ahead`)
}

const counted = 10_000

async function otherRows(store: Look['store']): Promise<Finding> {
  const row = await one<{ rows: number }>(
    store,
    `SELECT count(*)::int4 AS rows FROM (SELECT FROM millrace.job_other LIMIT ${counted}) AS other`,
  )
  const rows = row?.rows ?? 0
  if (rows === 0) return ok('job_other', 'no job is outside its week')
  return warn(
    'job_other',
    `${rows === counted ? `${counted} or more` : rows} jobs are outside a partition of their week`,
    'they run like all others, but are pruned one by one, and their weeks get no partition: see that partitions are made ahead, and that the clocks of machines that enqueue are right',
  )
}
