import type { Lease, SettleAnswer, Settlement } from '../../engine/contract.ts'
import { newestOfEachJob } from '../../engine/newest.ts'
import { parseId } from '../../job/id.ts'
import { phase } from './codes.ts'
import { type Completed, moveCompleted, moveCompletedInFlows } from './complete.ts'
import { CounterChanges } from './counters.ts'
import { moveToHistory, recordAttempt } from './finish.ts'
import { type Effects, FlowChanges } from './flow-changes.ts'
import type { Kinds } from './kinds.ts'
import { type Place, readToken } from './lease-token.ts'
import { park } from './park.ts'
import type { Store } from './store.ts'
import { leaseHolder } from './workers.ts'

export interface Ended {
  answers: SettleAnswer[]
  /** How many members of each claimed batch have ended. */
  batches: Map<number, number>
  /** Null when no worker of this name holds anything. */
  effects: Effects | null
}

type CompleteSettlement = Settlement & { outcome: { kind: 'complete' } }

/** Ends attempts. Inside a write, or inside a transaction of the engine's own making. */
export function settle(
  store: Store,
  kinds: Kinds,
  now: number,
  workerName: string,
  settlements: Settlement[],
): Ended {
  const worker = leaseHolder(store, now, workerName)
  const ended: Ended = { answers: [], batches: new Map(), effects: null }
  if (worker === undefined) {
    settlements.forEach((each, index) => {
      ended.answers[index] = refusal(store, each.lease)
    })
    return ended
  }
  const counters = new CounterChanges()
  const changes = new FlowChanges(store, now, counters)
  const completions: { settlement: CompleteSettlement; place: Place; index: number }[] = []
  const tried = newestOfEachJob(settlements)
  const repeated: number[] = []
  settlements.forEach((settlement, index) => {
    const place = readToken(settlement.lease)
    if (!tried.has(index)) return void repeated.push(index)
    if (settlement.outcome.kind === 'complete')
      completions.push({ settlement: settlement as CompleteSettlement, place, index })
    else {
      const done = settleOne(store, kinds, now, { worker, settlement, place, counters, changes })
      ended.answers[index] = done ? 'settled' : refusal(store, settlement.lease)
      if (done) count(ended.batches, place.batch)
    }
  })
  complete(store, now, { worker, completions, counters, changes, ended })
  for (const index of repeated)
    ended.answers[index] = refusal(store, (settlements[index] as Settlement).lease)
  ended.effects = changes.write()
  counters.write(store, now)
  return ended
}

function count(batches: Map<number, number>, batch: number): void {
  batches.set(batch, (batches.get(batch) ?? 0) + 1)
}

function complete(
  store: Store,
  now: number,
  work: {
    worker: number
    completions: { settlement: CompleteSettlement; place: Place; index: number }[]
    counters: CounterChanges
    changes: FlowChanges
    ended: Ended
  },
): void {
  const { completions, worker, counters, ended } = work
  const plain: Completed[] = []
  const inFlows: Completed[] = []
  for (const { settlement, place } of completions) {
    const { lease, outcome, ranMs } = settlement
    const completed = {
      n: place.n,
      epoch: lease.epoch,
      ranMs: Math.max(0, Math.round(ranMs)),
      resultJson: outcome.resultJson,
    }
    if (lease.flow) inFlows.push(completed)
    else plain.push(completed)
  }
  const moved = moveCompleted(store, now, worker, plain)
  // A job can have come into a flow since its worker claimed it.
  if (moved) inFlows.push(...plain.filter(({ n }) => !moved.has(n)))
  const done = inFlows.length === 0 ? moved : new Set(moved ?? plain.map(({ n }) => n))
  if (done)
    for (const [n, id, flow] of moveCompletedInFlows(store, now, worker, inFlows)) {
      done.add(n)
      work.changes.ended(id, flow, phase.completed)
    }
  for (const { settlement, place, index } of completions) {
    if (done && !done.has(place.n)) {
      ended.answers[index] = refusal(store, settlement.lease)
      continue
    }
    ended.answers[index] = 'settled'
    counters.move(place.kind, phase.running, phase.completed)
    count(ended.batches, place.batch)
  }
}

interface HeldRow {
  id: Uint8Array
  attempt: number
  cancel_reason: string | null
  flow: Uint8Array | null
}

function settleOne(
  store: Store,
  kinds: Kinds,
  now: number,
  work: {
    worker: number
    settlement: Settlement
    place: Place
    counters: CounterChanges
    changes: FlowChanges
  },
): boolean {
  const { worker, settlement, place, counters, changes } = work
  const { lease, outcome, ranMs } = settlement
  const row = store.get<HeldRow & Record<string, never>>(
    'SELECT id, attempt, cancel_reason, flow FROM millrace_job WHERE n = ? AND epoch = ? AND phase = 2 AND worker = ?',
    place.n,
    lease.epoch,
    worker,
  )
  if (!row) return false
  const startedAt = now - Math.max(0, Math.round(ranMs))
  const attempt = { id: row.id, epoch: lease.epoch, attempt: row.attempt, worker, startedAt, endedAt: now }
  const back = (changes: { inMs: number; spend: boolean; lastError: string | null }): void => {
    const runAt = now + Math.max(0, changes.inMs)
    const to = changes.inMs > 0 ? phase.delayed : phase.ready
    store.run(
      `UPDATE millrace_job SET phase = ?, run_at = ?, attempt = attempt - ?, worker = NULL, started_at = NULL,
         last_error = coalesce(?, last_error) WHERE n = ?`,
      to,
      runAt,
      changes.spend ? 0 : 1,
      changes.lastError,
      place.n,
    )
    counters.move(place.kind, phase.running, to)
  }
  const finish = (
    code: 5 | 6,
    error: Parameters<typeof moveToHistory>[2]['error'],
    cancelReason?: string,
  ): void => {
    moveToHistory(store, now, {
      n: place.n,
      startedAt,
      code,
      error,
      result: null,
      ...(cancelReason === undefined ? {} : { cancelReason }),
    })
    counters.move(place.kind, phase.running, code)
    changes.ended(row.id, row.flow, code)
  }
  switch (outcome.kind) {
    case 'retry':
      counters.failed(place.kind)
      recordAttempt(store, { ...attempt, outcome: 'failed', error: outcome.error })
      // Whoever asked to cancel it in the meantime is obeyed instead of a further attempt.
      if (row.cancel_reason !== null) finish(phase.cancelled, outcome.error)
      else back({ inMs: outcome.inMs, spend: true, lastError: JSON.stringify(outcome.error) })
      return true
    case 'dead':
      counters.failed(place.kind)
      recordAttempt(store, { ...attempt, outcome: 'failed', error: outcome.error })
      finish(phase.dead, outcome.error)
      return true
    case 'cancelled':
      recordAttempt(store, { ...attempt, outcome: 'cancelled', error: null })
      finish(phase.cancelled, null, outcome.reason)
      return true
    case 'snooze':
      recordAttempt(store, { ...attempt, outcome: 'snoozed', error: null })
      if (row.cancel_reason !== null) finish(phase.cancelled, null)
      else back({ inMs: outcome.inMs, spend: false, lastError: null })
      return true
    case 'wait':
      recordAttempt(store, {
        ...attempt,
        outcome: row.cancel_reason === null ? 'waited' : 'cancelled',
        error: null,
      })
      if (row.cancel_reason !== null) finish(phase.cancelled, null)
      else
        park(store, kinds, now, {
          n: place.n,
          id: row.id,
          kind: place.kind,
          epoch: lease.epoch,
          attempt: row.attempt,
          wait: outcome.wait,
          child: settlement.child ?? null,
          counters,
          changes,
        })
      return true
    case 'release':
      if (row.cancel_reason !== null) finish(phase.cancelled, null)
      else back({ inMs: 0, spend: false, lastError: null })
      return true
    case 'complete':
      throw new Error('completions are settled together')
  }
}

/** Whether this lease could end its job now; undefined when it could. A read. */
export function leaseRefusal(
  store: Store,
  now: number,
  workerName: string,
  lease: Lease,
): SettleAnswer | undefined {
  const worker = leaseHolder(store, now, workerName)
  const held =
    worker !== undefined &&
    store.get(
      'SELECT 1 FROM millrace_job WHERE n = ? AND epoch = ? AND phase = 2 AND worker = ?',
      readToken(lease).n,
      lease.epoch,
      worker,
    )
  return held ? undefined : refusal(store, lease)
}

/** Why a lease ends nothing: it has ended the job before, or another holds the job now, or the job is no more. */
function refusal(store: Store, lease: Lease): SettleAnswer {
  const id = parseId(lease.id)
  const finished = store.get<{ epoch: number }>('SELECT epoch FROM millrace_history WHERE id = ?', id)
  const live = store.get<{ epoch: number; phase: number }>(
    'SELECT epoch, phase FROM millrace_job WHERE id = ?',
    id,
  )
  if (!finished && !live) return 'gone'
  const lost = store.get(
    `SELECT 1 FROM millrace_attempt WHERE id = ? AND epoch = ? AND outcome = 'worker-lost'`,
    id,
    lease.epoch,
  )
  if (lost) return 'lease-lost'
  if (finished) return finished.epoch === lease.epoch ? 'already-settled' : 'lease-lost'
  return live?.epoch === lease.epoch && live.phase !== phase.running ? 'already-settled' : 'lease-lost'
}
