import type { Report } from '../../engine/contract.ts'
import type { StepWrite } from '../../engine/step.ts'
import { readToken } from './lease-token.ts'
import { array, type Queries } from './queries.ts'

/** Log lines kept of one attempt; the last one says that more were dropped. */
const linesKept = 1_000

/**
 * Progress, log lines and steps of running attempts, fenced like a settle. A report that is repeated after its answer was lost
 * stores no line twice: one that is already there, of the same millisecond, is left out.
 */
export async function report(
  db: Queries,
  now: number | null,
  worker: string,
  reports: readonly Report[],
): Promise<('ok' | 'lease-lost')[]> {
  const answers = reports.map((): 'ok' | 'lease-lost' => 'lease-lost')
  const busy = await write(db, { now, worker, reports, answers, indexes: reports.keys(), wait: false })
  // Somebody has their rows locked, to cancel or settle them. One by one, so that no two who wait do so for each other.
  for (const index of busy) await write(db, { now, worker, reports, answers, indexes: [index], wait: true })
  return answers
}

/** Sets the answers of those that were written; the others that seem to be held are handed back. */
async function write(
  db: Queries,
  of: {
    now: number | null
    worker: string
    reports: readonly Report[]
    answers: ('ok' | 'lease-lost')[]
    indexes: Iterable<number>
    wait: boolean
  },
): Promise<number[]> {
  const indexes = [...of.indexes]
  const each = indexes.map(index => of.reports[index] as Report)
  const lines = each.flatMap(({ logLines = [] }, n) => logLines.map(line => ({ n: n + 1, ...line })))
  const steps = each.flatMap(({ steps = [] }, n) => steps.map(step => ({ n: n + 1, ...step })))
  const rows = await db.rows<[n: number, written: boolean]>(statement(of.wait, steps.length > 0), [
    of.now,
    of.worker,
    array(each.map(({ lease }) => lease.id)),
    array(each.map(({ lease }) => lease.epoch)),
    array(each.map(({ lease }) => readToken(lease).lid)),
    array(each.map(({ progress }) => progress?.percent ?? null)),
    each.map(({ progress }) => progress?.message ?? null),
    each.map(({ progress }) => progress?.dataJson ?? null),
    array(lines.map(line => line.n)),
    array(lines.map(line => Math.round(line.at))),
    lines.map(line => line.level),
    lines.map(line => line.message),
    lines.map(line => line.dataJson),
    ...(steps.length > 0 ? stepArrays(steps) : []),
  ])
  for (const [n, written] of rows) if (written) of.answers[indexes[n - 1] as number] = 'ok'
  return rows.filter(([, written]) => !written).map(([n]) => indexes[n - 1] as number)
}

function stepArrays(steps: readonly (StepWrite & { n: number })[]): unknown[] {
  return [
    array(steps.map(step => step.n)),
    steps.map(step => step.name),
    array(steps.map(step => step.ordinal)),
    array(steps.map(step => step.kind)),
    array(steps.map(step => step.state)),
    steps.map(step => step.resultJson),
    steps.map(step => (step.error ? JSON.stringify(step.error) : null)),
    array(steps.map(step => Math.max(0, Math.round(step.ranMs)))),
    array(steps.map(step => step.signalId)),
  ]
}

/** What a step waited for, and since when, stays known when it ends. */
const writeSteps = `, step AS MATERIALIZED (
    SELECT DISTINCT ON (h.id, u.name) h.id, h.epoch, h.attempt, u.* FROM held h JOIN unnest($14::int4[], $15::text[], $16::int4[],
      $17::text[], $18::text[], $19::text[], $20::text[], $21::int8[], $22::uuid[]) WITH ORDINALITY
      AS u (report, name, ordinal, kind, state, result, error, ran, signal_id, o) ON u.report = h.n
    ORDER BY h.id, u.name, u.o DESC
  ), kept AS (
    INSERT INTO millrace.step AS s (id, ordinal, attempt, epoch, started_at, ended_at, name, kind, state, result, error)
    SELECT w.id, w.ordinal, w.attempt, w.epoch, c.now - w.ran, c.now, w.name, w.kind, w.state, w.result::json, w.error::json
    FROM step w, (SELECT millrace.now_ms($1) AS now OFFSET 0) AS c
    ON CONFLICT (id, name) DO UPDATE SET ordinal = excluded.ordinal, attempt = excluded.attempt, epoch = excluded.epoch,
      started_at = CASE WHEN s.state = 'waiting' THEN least(s.started_at, excluded.started_at) ELSE excluded.started_at END,
      ended_at = excluded.ended_at, parked = NULL, kind = excluded.kind, state = excluded.state, result = excluded.result, error = excluded.error
  ), took AS (
    UPDATE millrace.signal g SET taken = true, payload = NULL FROM step w WHERE g.job = w.id AND g.id = w.signal_id
  )`

const statements = new Map<string, string>()

function statement(wait: boolean, steps: boolean): string {
  const key = `${wait} ${steps}`
  const known = statements.get(key)
  if (known !== undefined) return known
  const text = fenced(wait ? 'FOR SHARE OF j' : 'FOR SHARE OF j SKIP LOCKED', steps ? writeSteps : '')
  statements.set(key, text)
  return text
}

const fenced = (lock: string, more: string): string => `
  WITH candidate AS MATERIALIZED (
    SELECT u.* FROM unnest($3::uuid[], $4::int4[], $5::int8[], $6::float8[], $7::text[], $8::text[]) WITH ORDINALITY
        AS u (id, epoch, lid, percent, message, data, n),
      LATERAL (SELECT * FROM millrace.job WHERE job.id = u.id OFFSET 0) AS j
    WHERE j.state = 0 AND j.epoch = u.epoch - 1 AND EXISTS (
      SELECT FROM millrace.lease l JOIN millrace.worker w ON w.worker = l.worker
      WHERE l.lid = u.lid AND w.name = $2 AND w.expires_at > millrace.now_ms($1))
  ), held AS MATERIALIZED (
    SELECT c.*, j.attempt + 1 AS attempt FROM candidate c JOIN millrace.job j ON j.id = c.id
    WHERE j.state = 0 AND j.epoch = c.epoch - 1 ${lock}
  ), shown AS (
    INSERT INTO millrace.progress AS p (id, percent, message, data)
    SELECT DISTINCT ON (h.id) h.id, h.percent, h.message, h.data::json FROM held h WHERE h.percent IS NOT NULL
    ORDER BY h.id, h.n DESC
    ON CONFLICT (id) DO UPDATE SET percent = excluded.percent, message = excluded.message, data = excluded.data
  ), line AS (
    SELECT h.id, h.epoch, h.attempt, u.at, u.level, u.message, u.data,
      row_number() OVER (PARTITION BY h.id ORDER BY u.n)
        + coalesce((SELECT max(g.line) FROM millrace.log g WHERE g.id = h.id AND g.epoch = h.epoch), 0) AS line
    FROM held h JOIN unnest($9::int4[], $10::int8[], $11::text[], $12::text[], $13::text[]) WITH ORDINALITY
      AS u (report, at, level, message, data, n) ON u.report = h.n
    WHERE NOT EXISTS (SELECT FROM millrace.log g WHERE g.id = h.id AND g.epoch = h.epoch
      AND g.at = u.at AND g.level = u.level AND g.message = u.message AND g.data::text IS NOT DISTINCT FROM u.data)
  ), logged AS (
    INSERT INTO millrace.log (id, epoch, line, attempt, at, level, message, data)
    SELECT l.id, l.epoch, l.line, l.attempt, l.at, CASE WHEN l.line = ${linesKept} THEN 'warn' ELSE l.level END,
      CASE WHEN l.line = ${linesKept} THEN 'the log is full: only ${linesKept} lines of an attempt are kept' ELSE l.message END,
      CASE WHEN l.line = ${linesKept} THEN NULL ELSE l.data::json END
    FROM line l WHERE l.line <= ${linesKept} ON CONFLICT DO NOTHING
  )${more}
  SELECT c.n, c.n IN (SELECT h.n FROM held h) FROM candidate c`
