import {
  seriesColumns,
  seriesKeptMs,
  type SeriesQuery,
  type SeriesRow,
  type SeriesSum,
} from '../../engine/series.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

const { waited, ran, all: columns } = seriesColumns

const upsert = `INSERT INTO millrace_series (minute, kind, worker, ${columns.join(', ')})
  VALUES (${Array.from({ length: columns.length + 3 }, () => '?').join(', ')})
  ON CONFLICT DO UPDATE SET ${columns.map(name => `${name} = max(millrace_series.${name}, excluded.${name})`).join(', ')}`

/** Inside a write. */
export function writeSeries(store: Store, kinds: Kinds, worker: string, rows: readonly SeriesRow[]): void {
  for (const row of rows)
    store.run(
      upsert,
      row.minute,
      kinds.number(store, row.queue, row.type),
      worker,
      row.completed,
      row.failed,
      row.dead,
      row.cancelled,
      Math.round(row.waitedMs),
      Math.round(row.ranMs),
      ...waited.map((_, index) => row.waited[index] ?? 0),
      ...ran.map((_, index) => row.ran[index] ?? 0),
    )
}

type SumRow = Record<string, number> & { name: string | null }

export function readSeries(store: Store, query: SeriesQuery): SeriesSum[] {
  const { from, until, stepMs, types, queues, by } = query
  const rows = store.all<SumRow>(
    `SELECT s.minute - (s.minute - ?) % ? AS at, ${by ? `k.${by}` : 'NULL'} AS name,
       ${columns.map(name => `sum(s.${name}) AS ${name}`).join(', ')}
     FROM millrace_series s JOIN millrace_kind k ON k.kind = s.kind
     WHERE s.minute >= ? AND s.minute < ?
       AND (? IS NULL OR k.type IN (SELECT value FROM json_each(?)))
       AND (? IS NULL OR k.queue IN (SELECT value FROM json_each(?)))
     GROUP BY 1, 2 ORDER BY 2, 1`,
    from,
    stepMs,
    from,
    until,
    ...listed(types),
    ...listed(queues),
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

function listed(names: string[] | undefined): [string | null, string | null] {
  const json = names ? JSON.stringify(names) : null
  return [json, json]
}

/** Inside a write. Answers whether more may wait. */
export function pruneSeries(store: Store, now: number, limit: number): boolean {
  const gone = store.run(
    `DELETE FROM millrace_series WHERE (minute, kind, worker) IN
       (SELECT minute, kind, worker FROM millrace_series WHERE minute < ? ORDER BY minute LIMIT ?)`,
    now - seriesKeptMs,
    limit,
  )
  return gone >= limit
}
