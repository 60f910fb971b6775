import type { RescuedJob } from '../../engine/contract.ts'
import { fingerprint } from '../../job/attempt-error.ts'
import type { JobError } from '../../job/error.ts'
import { formatId } from '../../job/id.ts'
import { phase } from './codes.ts'
import type { CounterChanges } from './counters.ts'
import { type FinishedAs, moveToHistory, recordAttempt } from './finish.ts'
import type { FlowChanges } from './flow-changes.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

interface LostRow {
  id: Uint8Array
  kind: number
  epoch: number
  attempt: number
  max_attempts: number
  deaths: number
  started_at: number
  cancel_reason: string | null
  flow: Uint8Array | null
  tenant: string
  worker_name: string | null
}

/** One job whose worker is gone: back to the queue; dead when no attempt is left or it has killed too many workers. */
export function giveBack(
  store: Store,
  kinds: Kinds,
  now: number,
  lost: {
    n: number
    epoch: number
    worker: number
    maxDeaths: number
    counters: CounterChanges
    changes: FlowChanges
  },
): RescuedJob | null {
  const row = store.get<LostRow & Record<string, never>>(
    `SELECT j.id, j.kind, j.epoch, j.attempt, j.max_attempts, j.deaths, j.started_at, j.cancel_reason,
       j.flow, j.tenant, w.name AS worker_name
     FROM millrace_job j LEFT JOIN millrace_worker w ON w.worker = j.worker
     WHERE j.n = ? AND j.epoch = ? AND j.worker = ? AND j.phase = 2`,
    lost.n,
    lost.epoch,
    lost.worker,
  )
  if (!row) return null
  const deaths = row.deaths + 1
  const error = lostError(deaths, lost.maxDeaths)
  recordAttempt(store, {
    id: row.id,
    epoch: row.epoch,
    attempt: row.attempt,
    worker: lost.worker,
    startedAt: row.started_at,
    endedAt: now,
    outcome: 'worker-lost',
    error,
  })
  lost.counters.failed(row.kind)
  store.run('UPDATE millrace_job SET deaths = ? WHERE n = ?', deaths, lost.n)
  const end = endOf(row, deaths, lost.maxDeaths, error)
  if (end) {
    moveToHistory(store, now, { n: lost.n, startedAt: row.started_at, ...end })
    lost.counters.move(row.kind, phase.running, end.code)
    lost.changes.ended(row.id, row.flow, end.code)
  } else {
    store.run(
      'UPDATE millrace_job SET phase = 0, run_at = min(run_at, ?), worker = NULL, started_at = NULL, last_error = ? WHERE n = ?',
      now,
      JSON.stringify(error),
      lost.n,
    )
    lost.counters.move(row.kind, phase.running, phase.ready)
  }
  const { queue, type } = kinds.get(store, row.kind)
  return {
    id: formatId(row.id),
    type,
    queue,
    tenant: row.tenant,
    worker: row.worker_name ?? '',
    attempt: row.attempt,
    deaths,
    now: end ? (end.code === phase.dead ? 'dead' : 'cancelled') : 'queued',
  }
}

function endOf(row: LostRow, deaths: number, maxDeaths: number, error: JobError): FinishedAs | null {
  if (row.cancel_reason !== null) return { code: phase.cancelled, error: null, result: null }
  if (deaths >= maxDeaths || row.attempt >= row.max_attempts) return { code: phase.dead, error, result: null }
  return null
}

function lostError(deaths: number, maxDeaths: number): JobError {
  const message =
    deaths >= maxDeaths
      ? `its worker died under it ${deaths} times: it is taken to be the cause and not run again (redrive it when it is mended)`
      : 'its worker died or stopped beating before the attempt was settled'
  return { name: 'WorkerLost', message, stack: null, fingerprint: fingerprint('WorkerLost', '', null) }
}
