import type { Store } from './store.ts'

/** One completion, as the tables see it. */
export interface Completed {
  n: number
  epoch: number
  ranMs: number
  resultJson: string | null
}

/** A list of completions as one parameter, and how SQL reads it: columns n, epoch, ran_ms, result. */
interface Listing {
  encode: (completed: Completed[]) => string
  source: string
}

const epochBits = 20
const longestRanMs = 2 ** 31

/**
 * Without a result, n is a member's name and its value holds epoch and time in one integer: SQLite reads both without
 * parsing each item's text again, which makes a completion a third cheaper.
 */
const bare: Listing = {
  encode: completed =>
    `{${completed.map(({ n, epoch, ranMs }) => `"${n}":${ranMs * 2 ** epochBits + epoch}`).join()}}`,
  source: `SELECT key + 0 AS n, value & ${2 ** epochBits - 1} AS epoch, value >> ${epochBits} AS ran_ms, NULL AS result
           FROM json_each(?1)`,
}

const full: Listing = {
  encode: completed =>
    `[${completed
      .map(({ n, epoch, ranMs, resultJson }) => `[${n},${epoch},${ranMs},${JSON.stringify(resultJson)}]`)
      .join()}]`,
  source: `SELECT value ->> 0 AS n, value ->> 1 AS epoch, value ->> 2 AS ran_ms, value ->> 3 AS result
           FROM json_each(?1)`,
}

function isBare({ epoch, ranMs, resultJson }: Completed): boolean {
  return resultJson === null && epoch < 2 ** epochBits && ranMs < longestRanMs
}

/**
 * Moves completed jobs into history, two statements for all of them. Answers the numbers of those that were this
 * worker's to end and belong to no flow; null when that is all of them, as it nearly always is.
 */
export function moveCompleted(
  store: Store,
  now: number,
  worker: number,
  completed: Completed[],
): Set<number> | null {
  const rest = completed.filter(each => !isBare(each))
  const plain = rest.length === 0 ? completed : completed.filter(isBare)
  const moved = [moveGroup(store, now, worker, bare, plain), moveGroup(store, now, worker, full, rest)]
  if (moved.every(each => each === null)) return null
  const all = [plain, rest].map((group, index) => moved[index] ?? group.map(({ n }) => n))
  return new Set(all.flat())
}

/** The same for jobs of flows, which have to be known by the end of this write: answers those that were moved. */
export function moveCompletedInFlows(
  store: Store,
  now: number,
  worker: number,
  completed: Completed[],
): FlowJob[] {
  const rest = completed.filter(each => !isBare(each))
  return [
    ...moveFlowGroup(store, now, worker, bare, completed.filter(isBare)),
    ...moveFlowGroup(store, now, worker, full, rest),
  ]
}

export type FlowJob = [n: number, id: Uint8Array, flow: Uint8Array | null]

function moveFlowGroup(
  store: Store,
  now: number,
  worker: number,
  listing: Listing,
  group: Completed[],
): FlowJob[] {
  if (group.length === 0) return []
  const list = listing.encode(group)
  const fenced = fencedBy(listing)
  const moved = store.rows<FlowJob>(`SELECT j.n, j.id, j.flow FROM ${fenced}`, list, worker)
  insertCompleted(store, now, worker, fenced, list)
  deleteJobs(
    store,
    moved.map(([n]) => n),
  )
  return moved
}

function fencedBy(listing: Listing): string {
  return `(${listing.source}) c CROSS JOIN millrace_job j ON j.n = c.n
    WHERE j.epoch = c.epoch AND j.phase = 2 AND j.worker = ?2`
}

function insertCompleted(store: Store, now: number, worker: number, fenced: string, list: string): number {
  return store.run(
    `INSERT INTO millrace_history (id, kind, state, priority, run_at, created_at, attempt, max_attempts, epoch, deaths,
       redrives, worker, started_at, finished_at, tenant, idempotency_key, last_error, payload, result, flow, origin)
     SELECT j.id, j.kind, 4, j.priority, j.run_at, j.created_at, j.attempt, j.max_attempts, j.epoch, j.deaths, j.redrives,
       j.worker, ?3 - c.ran_ms, ?3, j.tenant, j.idempotency_key, j.last_error, j.payload, c.result, j.flow, j.origin
     FROM ${fenced}`,
    list,
    worker,
    now,
  )
}

function deleteJobs(store: Store, numbers: number[]): void {
  store.run('DELETE FROM millrace_job WHERE n IN (SELECT value FROM json_each(?))', `[${numbers.join()}]`)
}

/** Answers the numbers that were moved; null: all. */
function moveGroup(
  store: Store,
  now: number,
  worker: number,
  listing: Listing,
  group: Completed[],
): number[] | null {
  if (group.length === 0) return null
  const list = listing.encode(group)
  const fenced = `${fencedBy(listing)} AND j.flow IS NULL`
  const count = insertCompleted(store, now, worker, fenced, list)
  const moved =
    count === group.length
      ? null
      : store.rows<[n: number]>(`SELECT j.n FROM ${fenced}`, list, worker).map(row => row[0])
  deleteJobs(store, moved ?? group.map(({ n }) => n))
  return moved
}
