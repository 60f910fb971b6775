import {
  seriesColumns,
  seriesKeptMs,
  type SeriesQuery,
  type SeriesRow,
  type SeriesSum,
} from '../../engine/series.ts'
import type { Kinds } from './kinds.ts'
import type { Queries } from './queries.ts'

const { waited, ran, all: columns } = seriesColumns

export async function writeSeries(
  db: Queries,
  kinds: Kinds,
  worker: string,
  rows: readonly SeriesRow[],
): Promise<void> {
  await kinds.ensure(db, rows)
  const stored = rows.map(row => ({
    minute: row.minute,
    kind: kinds.find(row.queue, row.type) as number,
    worker,
    completed: row.completed,
    failed: row.failed,
    dead: row.dead,
    cancelled: row.cancelled,
    waited_ms: Math.round(row.waitedMs),
    ran_ms: Math.round(row.ranMs),
    ...Object.fromEntries(waited.map((name, index) => [name, row.waited[index] ?? 0])),
    ...Object.fromEntries(ran.map((name, index) => [name, row.ran[index] ?? 0])),
  }))
  await db.all(
    `INSERT INTO millrace.series AS s SELECT * FROM json_populate_recordset(NULL::millrace.series, $1::json)
     ON CONFLICT (minute, kind, worker) DO UPDATE SET ${columns.map(name => `${name} = greatest(s.${name}, excluded.${name})`).join(', ')}`,
    [JSON.stringify(stored)],
  )
}

type SumRow = Record<string, number> & { name: string | null }

export async function readSeries(db: Queries, query: SeriesQuery): Promise<SeriesSum[]> {
  const { from, until, stepMs, types, queues, by } = query
  const rows = await db.all<SumRow>(
    `SELECT s.minute - (s.minute - $1::int8) % $2::int8 AS at, ${by ? `k.${by}` : 'NULL::text'} AS name,
       ${columns.map(name => `sum(s.${name})::int8 AS ${name}`).join(', ')}
     FROM millrace.series s JOIN millrace.kind k ON k.kind = s.kind
     WHERE s.minute >= $1::int8 AND s.minute < $3::int8
       AND ($4::text[] IS NULL OR k.type = ANY ($4)) AND ($5::text[] IS NULL OR k.queue = ANY ($5))
     GROUP BY 1, 2 ORDER BY ${by ? `k.${by} COLLATE "C"` : '2'}, 1`,
    [from, stepMs, until, types ?? null, queues ?? null],
  )
  return rows.map(row => ({
    at: row['at'] as number,
    name: row.name,
    completed: row['completed'] as number,
    failed: row['failed'] as number,
    dead: row['dead'] as number,
    cancelled: row['cancelled'] as number,
    waitedMs: row['waited_ms'] as number,
    ranMs: row['ran_ms'] as number,
    waited: waited.map(name => row[name] as number),
    ran: ran.map(name => row[name] as number),
  }))
}

/** Answers whether more may wait. */
export async function pruneSeries(db: Queries, now: number | null, limit: number): Promise<boolean> {
  const gone = await db.rows(
    `DELETE FROM millrace.series s USING (
       SELECT o.minute, o.kind, o.worker FROM millrace.series o WHERE o.minute < millrace.now_ms($1) - $2::int8
       ORDER BY o.minute, o.kind, o.worker LIMIT $3) AS old
     WHERE s.minute = old.minute AND s.kind = old.kind AND s.worker = old.worker RETURNING 1`,
    [now, seriesKeptMs, limit],
  )
  return gone.length >= limit
}
