import type { ClaimAnswer, ClaimedJob, ClaimRequest, Lane } from '../../engine/contract.ts'
import { watchedForMs } from './feed.ts'
import type { Heads, Look, Rest } from './heads.ts'
import type { Kinds } from './kinds.ts'
import { leaseToken } from './lease-token.ts'
import { array, type Queries } from './queries.ts'

/**
 * Due jobs are looked for from this long before the present: what fell due earlier has been promoted long ago, unless it
 * was committed late; that is found by the full look that `Heads` takes every half minute.
 */
const dueWithinMs = 60_000
/** Rows of another worker are in the way for a moment; should it fail, they come back. */
const lockedMs = 20
const triesAtMost = 4

export interface ClaimContext {
  heads: Heads
  kinds: Kinds
  now: number | null
  monotonicMs: number
  /** The worker has nothing to do: it asks for the rest as well. */
  idle: boolean
}

const claimOnly =
  'SELECT fields, payload, flow FROM millrace.claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)'
/** The last row says for how long the feed is watched: an idle worker need not ask for that by itself. */
const claimAndLook = `${claimOnly} UNION ALL SELECT ${watchedForMs.replace('$NOW', '$3')}::text, NULL, NULL`

const claimOneOnly =
  'SELECT fields, payload, flow, due_in FROM millrace.claim_one($1, $2, $3, $4, $5, $6, $7, $8)'

type ClaimedRow = [fields: string, payload: string, flow: string | null]

/** Takes the one job that an idle worker was woken for, where there is no other. Null when it takes the long way to tell. */
export async function claimOne(
  db: Queries,
  { heads, kinds, now, monotonicMs }: ClaimContext,
  { number, lid, lanes }: ClaimRequest & { number: number; lid: number },
): Promise<{ job: ClaimedJob; nextDueInMs: number | null } | null> {
  const wanted = kinds.of(lanes)
  const known = heads.known(wanted, monotonicMs)
  if (!known) return null
  const [row] = await db.rows<[...ClaimedRow, dueInMs: number | null] | [null]>(claimOneOnly, [
    number,
    lid,
    now,
    kinds.count,
    array(wanted),
    known.kinds,
    known.ranks,
    known.heads,
  ])
  if (!row || row[0] === null) return null
  const [fields, payload, flow, dueInMs] = row
  return {
    job: readJob(kinds, lid, [fields, payload, flow]),
    nextDueInMs: dueInMs === null ? null : Math.max(0, dueInMs),
  }
}

/** Takes jobs for a worker. Null when the worker has no lease. */
export async function claim(
  db: Queries,
  context: ClaimContext,
  request: ClaimRequest & { number: number; lid: number },
): Promise<(ClaimAnswer & { more: boolean; rest: Rest | null }) | null> {
  const { heads, kinds } = context
  for (let tries = 1; ; tries++) {
    const wanted = kinds.of(request.lanes)
    const asked = heads.ask(context.monotonicMs)
    const answers = await db.rows<ClaimedRow | [null]>(context.idle ? claimAndLook : claimOnly, [
      request.number,
      request.lid,
      context.now,
      request.limit,
      array(wanted),
      asked.bands,
      asked.ranks,
      asked.heads,
      asked.late,
      asked.fresh ? null : dueWithinMs,
      context.idle ? Math.round(request.leaseMs) : null,
    ])
    const watchedFor = context.idle ? Number(answers.pop()?.[0]) : 0
    const [first, ...rows] = answers
    if (!first || first[0] === null) return null
    const look = JSON.parse(first[0]) as Look
    if (look.rest) look.rest.watchedForMs = watchedFor
    heads.learn(asked.version, look)
    const jobs = rows.map(row => readJob(kinds, request.lid, row as ClaimedRow))
    // Of types that were made meanwhile nothing was looked at.
    const isBlind = await learnKinds(db, kinds, {
      look,
      lanes: request.lanes,
      known: wanted.length,
      idle: jobs.length === 0,
    })
    if (isBlind && jobs.length === 0) continue
    const more = isBlind || (look.next?.some(([, , seq]) => seq !== null) ?? false)
    const nextDueInMs = isBlind ? 0 : nextDue(look, more, jobs.length === request.limit)
    // All that waits is in the hands of others, who may want only a few jobs of each row: ask again when they have it.
    if (jobs.length === 0 && nextDueInMs === lockedMs && tries < triesAtMost) continue
    return { jobs, nextDueInMs, more, rest: look.rest }
  }
}

/** Whether there are types in these lanes that the claim did not know. */
async function learnKinds(
  db: Queries,
  kinds: Kinds,
  { look, lanes, known, idle }: { look: Look; lanes: readonly Lane[]; known: number; idle: boolean },
): Promise<boolean> {
  // Fewer than are known: a restored copy, which is looked into when there is time.
  if (look.kinds === kinds.count || (look.kinds < kinds.count && !idle)) return false
  await kinds.refresh(db)
  return kinds.of(lanes).length > known
}

function nextDue(look: Look, more: boolean, full: boolean): number | null {
  if (more) return full ? 0 : lockedMs
  return look.dueIn === null ? null : Math.max(0, look.dueIn)
}

/** Written by the claim function: fields without spaces, but for the tenant, which comes last. */
function readJob(kinds: Kinds, lid: number, row: ClaimedRow): ClaimedJob {
  const [fields, payloadJson, flow] = row
  const parts = fields.split(' ', fieldCount)
  const [id, kind, epoch, attempt, maxAttempts, priority, deaths, createdAt, runAt] = parts
  const known = kinds.get(Number(kind))
  const tenantAt = parts.length < fieldCount ? -1 : nthSpace(fields, fieldCount - 1)
  return {
    id: id as string,
    epoch: Number(epoch),
    token: leaseToken(lid),
    type: known?.type ?? '',
    queue: known?.queue ?? '',
    tenant: tenantAt === -1 ? '' : fields.slice(tenantAt + 1),
    priority: Number(priority),
    payloadJson,
    attempt: Number(attempt),
    maxAttempts: Number(maxAttempts),
    deaths: Number(deaths),
    createdAt: Number(createdAt),
    runAt: Number(runAt),
    flow,
  }
}

const fieldCount = 10

function nthSpace(text: string, n: number): number {
  let at = -1
  for (let count = 0; count < n; count++) at = text.indexOf(' ', at + 1)
  return at
}

/**
 * Gives back, without spending an attempt, what a claim took whose answer never came: nobody here knows of it, and this
 * worker's beats would keep it for ever.
 */
export async function leaseOf(
  db: Queries,
  lid: number,
): Promise<{ ids: string[]; epochs: number[] } | undefined> {
  const [row] = await db.all<{ ids: string[]; epochs: number[] }>(
    'SELECT ids::text[] AS ids, epochs FROM millrace.lease WHERE lid = $1',
    [lid],
  )
  return row
}
