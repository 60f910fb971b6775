import type { EnqueueAnswer, NewJob } from '../../engine/contract.ts'
import { formatId, parseId } from '../../job/id.ts'
import { phase, type Phase } from './codes.ts'
import { CounterChanges } from './counters.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

interface IdempotencyRow {
  id: Uint8Array
  body_hash: string
}

/** Stores jobs; runs inside a write, or inside the caller's own transaction. */
export function enqueue(store: Store, kinds: Kinds, now: number, jobs: NewJob[]): EnqueueAnswer[] {
  const counters = new CounterChanges()
  const room = new QueueRoom(store)
  const answers = jobs.map((job): EnqueueAnswer => {
    const earlier = job.idempotency && findKey(store, now, job)
    if (earlier) {
      const same = earlier.body_hash === job.idempotency?.bodyHash
      return { outcome: same ? 'duplicate' : 'idempotency-conflict', id: formatId(earlier.id) }
    }
    const full = room.refuses(job.queue)
    if (full) return { outcome: 'queue-full', ...full }
    const kind = kinds.number(store, job.queue, job.type)
    const id = parseId(job.id)
    const runAt = job.runAt ?? now + job.delayMs
    const due = runAt <= now ? phase.ready : phase.delayed
    if (!insertJob(store, job, { id, kind, code: due, runAt, now, flow: null }))
      return { outcome: 'duplicate', id: job.id }
    if (job.idempotency)
      store.run(
        'INSERT OR REPLACE INTO millrace_idempotency (tenant, key, id, body_hash, created_at) VALUES (?, ?, ?, ?, ?)',
        job.tenant,
        job.idempotency.key,
        id,
        job.idempotency.bodyHash,
        now,
      )
    counters.add(kind, due, 1)
    room.took(job.queue)
    return { outcome: 'enqueued', id: job.id }
  })
  counters.write(store, now)
  return answers
}

/** Answers whether the job is new. */
export function insertJob(
  store: Store,
  job: NewJob,
  place: { id: Uint8Array; kind: number; code: Phase; runAt: number; now: number; flow: Uint8Array | null },
): boolean {
  // An id that is known, live or finished, is an enqueue that came twice: it changes nothing.
  const changes = store.run(
    `INSERT INTO millrace_job (id, kind, phase, priority, run_at, created_at, max_attempts, tenant, idempotency_key, payload,
       flow, origin)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
     WHERE NOT EXISTS (SELECT 1 FROM millrace_history WHERE id = ?1)
     ON CONFLICT (id) DO NOTHING`,
    place.id,
    place.kind,
    place.code,
    job.priority,
    place.runAt,
    place.now,
    job.maxAttempts,
    job.tenant,
    job.idempotency?.key ?? null,
    job.payloadJson,
    place.flow,
    job.origin == null ? null : parseId(job.origin),
  )
  if (changes > 0 && job.attributes) insertAttributes(store, place.id, job.attributes)
  return changes > 0
}

function insertAttributes(store: Store, id: Uint8Array, attributes: Record<string, string>): void {
  for (const [name, value] of Object.entries(attributes))
    store.run('INSERT INTO millrace_attribute (name, value, job) VALUES (?, ?, ?)', name, value, id)
}

function findKey(store: Store, now: number, job: NewJob): IdempotencyRow | undefined {
  return store.get<IdempotencyRow>(
    `SELECT id, body_hash FROM millrace_idempotency
     WHERE tenant = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)`,
    job.tenant,
    job.idempotency?.key ?? '',
    now,
  )
}

/** How many more jobs the bounded queues take. */
export class QueueRoom {
  readonly #store: Store
  readonly #queues = new Map<string, { queued: number; limit: number } | null>()

  constructor(store: Store) {
    this.#store = store
  }

  refuses(queue: string): { queued: number; limit: number } | null {
    let bound = this.#queues.get(queue)
    if (bound === undefined) this.#queues.set(queue, (bound = this.#read(queue)))
    return bound && bound.queued >= bound.limit ? { ...bound } : null
  }

  took(queue: string): void {
    const bound = this.#queues.get(queue)
    if (bound) bound.queued++
  }

  #read(queue: string): { queued: number; limit: number } | null {
    const row = this.#store.get<{ limit: number | null }>(
      'SELECT max_queued AS "limit" FROM millrace_queue WHERE queue = ?',
      queue,
    )
    if (!row || row.limit === null) return null
    const sum = this.#store.get<{ queued: number }>(
      `SELECT coalesce(sum(count), 0) AS queued FROM millrace_counter
       WHERE phase IN (0, 1) AND kind IN (SELECT kind FROM millrace_kind WHERE queue = ?)`,
      queue,
    )
    return { queued: sum?.queued ?? 0, limit: row.limit }
  }
}
