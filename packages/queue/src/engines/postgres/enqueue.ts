import type { EnqueueAnswer, NewJob } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import type { Kinds } from './kinds.ts'
import { sqlState } from './postgres-errors.ts'
import { array, joined, one, type Queries } from './queries.ts'

/** Jobs in one row of `ready`. */
const chunkSize = 100
/** Above so many changes of kind or priority, a flush is sorted, and its order kept only within each. */
const changesKept = 64

interface Placed {
  job: NewJob
  kind: number
  /** Where the caller had it. */
  index: number
}

interface Chunk {
  first: number
  last: number
  kind: number
  priority: number
  maxAttempts: number
}

export interface EnqueueContext {
  now: number | null
  channel: string
  wake: string
  kinds: Kinds
  /** Their bands are there, though perhaps not in the snapshot of the caller's transaction. */
  prepared?: boolean
}

/** Whether the short way will do: due at once, and nothing to compare with. */
export function isPlain(jobs: readonly NewJob[]): boolean {
  return jobs.every(
    job => job.idempotency === null && job.runAt === null && job.delayMs <= 0 && job.origin == null,
  )
}

/** Stores jobs that are due at once. Answers null, and stores nothing, when it takes the other way after all. */
export async function enqueuePlain(
  db: Queries,
  context: EnqueueContext,
  jobs: readonly NewJob[],
): Promise<EnqueueAnswer[] | null> {
  const placed = place(context.kinds, jobs)
  const chunks = cut(placed)
  const attributes = attributesOf(placed.map(({ job }) => job))
  try {
    const row = await one<{ done: boolean }>(
      db,
      `SELECT millrace.enqueue_plain($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12${attributes ? ', $13' : ''}) AS done`,
      [
        context.now,
        context.channel,
        context.wake,
        array(placed.map(({ job }) => job.id)),
        joined(placed.map(({ job }) => job.payloadJson)),
        tenants(placed),
        array(chunks.map(chunk => chunk.first)),
        array(chunks.map(chunk => chunk.last)),
        array(chunks.map(chunk => chunk.kind)),
        array(chunks.map(chunk => chunk.priority)),
        array(chunks.map(chunk => chunk.maxAttempts)),
        !context.kinds.knowsBands(chunks),
        ...(attributes ? [attributes] : []),
      ],
    )
    if (row?.done) context.kinds.rememberBands(chunks)
    return row?.done ? jobs.map(job => ({ outcome: 'enqueued', id: job.id })) : null
  } catch (error) {
    if (sqlState(error) === uniqueViolation) return null
    throw notStorable(error)
  }
}

const uniqueViolation = '23505'
/** Text that is no JSON, or that the database's encoding has no room for. */
const unstorable = ['22P02', '22P05', '22021']

/** Only a caller who did not go through `Millrace.enqueue` can have given such a thing. */
export function notStorable(error: unknown): unknown {
  const { cause } = error as QueueError
  if (!unstorable.includes(sqlState(cause ?? error) ?? '')) return error
  return new QueueError(
    'invalid-payload',
    `the database can not store a payload: ${(cause as Error).message}`,
    {
      cause,
    },
  )
}

type Exception = ['duplicate' | 'idempotency-conflict', string] | ['queue-full', number, number]

/** Stores any jobs, also inside the caller's own transaction, which no answer of it aborts. */
export async function enqueueEach(
  db: Queries,
  context: EnqueueContext,
  jobs: readonly NewJob[],
): Promise<EnqueueAnswer[]> {
  const placed = place(context.kinds, jobs)
  const places = cut(placed).flatMap(({ first, last }) => Array<number>(last - first + 1).fill(first))
  const attributes = attributesOf(placed.map(({ job }) => job))
  const stored = one<{ answers: string }>(
    db,
    `SELECT millrace.enqueue_each($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15${attributes ? ', $16' : ''})::text
       AS answers`,
    [
      context.now,
      context.wake,
      array(placed.map(({ job }) => job.id)),
      joined(placed.map(({ job }) => job.payloadJson)),
      tenants(placed),
      array(placed.map(({ kind }) => kind)),
      array(placed.map(({ job }) => job.priority)),
      array(placed.map(({ job }) => job.maxAttempts)),
      array(places),
      array(placed.map(({ job }) => job.runAt)),
      array(placed.map(({ job }) => Math.max(0, Math.round(job.delayMs)))),
      placed.map(({ job }) => job.idempotency?.key ?? null),
      placed.map(({ job }) => job.idempotency?.bodyHash ?? null),
      context.prepared ?? false,
      origins(placed),
      ...(attributes ? [attributes] : []),
    ],
  )
  const row = await stored.catch(error => {
    throw notStorable(error)
  })
  const exceptions = JSON.parse(row?.answers ?? '{}') as Record<string, Exception>
  const answers: EnqueueAnswer[] = jobs.map(job => ({ outcome: 'enqueued', id: job.id }))
  for (const [ordinal, exception] of Object.entries(exceptions)) {
    const { index } = placed[Number(ordinal) - 1] as Placed
    answers[index] =
      exception[0] === 'queue-full'
        ? { outcome: 'queue-full', queued: exception[1], limit: exception[2] }
        : { outcome: exception[0], id: exception[1] }
  }
  return answers
}

function tenants(placed: readonly Placed[]): (string | null)[] | null {
  return placed.every(({ job }) => job.tenant === '') ? null : placed.map(({ job }) => job.tenant)
}

function origins(placed: readonly Placed[]): string | null {
  return placed.every(({ job }) => job.origin == null)
    ? null
    : array(placed.map(({ job }) => job.origin ?? null))
}

/** As JSON by ordinal, from 1; null when no job has any. */
export function attributesOf(jobs: readonly NewJob[]): string | null {
  const found = jobs.flatMap(({ attributes }, index) => (attributes ? [[index + 1, attributes]] : []))
  return found.length === 0 ? null : JSON.stringify(Object.fromEntries(found))
}

function place(kinds: Kinds, jobs: readonly NewJob[]): Placed[] {
  const placed = jobs.map((job, index) => {
    const kind = kinds.find(job.queue, job.type)
    if (kind === undefined) throw new Error(`the kind of job ${job.id} was not made`)
    return { job, kind, index }
  })
  let changes = 0
  for (let index = 1; index < placed.length; index++)
    if (!alike(placed[index - 1] as Placed, placed[index] as Placed)) changes++
  if (changes <= changesKept) return placed
  return placed.sort(
    (a, b) =>
      a.kind - b.kind ||
      a.job.priority - b.job.priority ||
      a.job.maxAttempts - b.job.maxAttempts ||
      a.index - b.index,
  )
}

function alike(a: Placed, b: Placed): boolean {
  return a.kind === b.kind && a.job.priority === b.job.priority && a.job.maxAttempts === b.job.maxAttempts
}

/** Runs of jobs that are alike. Ordinals begin with 1. */
function cut(placed: readonly Placed[]): Chunk[] {
  const chunks: Chunk[] = []
  let current: Chunk | undefined
  placed.forEach((each, index) => {
    const before = placed[index - 1]
    if (current && before && alike(before, each) && index + 1 - current.first < chunkSize) {
      current.last = index + 1
      return
    }
    const { priority, maxAttempts } = each.job
    current = { first: index + 1, last: index + 1, kind: each.kind, priority, maxAttempts }
    chunks.push(current)
  })
  return chunks
}
