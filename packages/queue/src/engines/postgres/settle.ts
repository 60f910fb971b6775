import type { Lease, SettleAnswer, Settlement } from '../../engine/contract.ts'
import { newestOfEachJob } from '../../engine/newest.ts'
import { readToken } from './lease-token.ts'
import { array, one, type Queries } from './queries.ts'
import { refusals, standings } from './refusals.ts'
import { settleAny } from './settle-any.ts'
import { type Group, type Item, type Moved, results, type SettleContext, whole } from './settlements.ts'

const outcomeCodes = { retry: 1, dead: 2, cancelled: 3, snooze: 4, release: 5 } as const

/** A job may get into a flow while it runs, and its flow's row may be new: so often the rest is looked at anew. */
const looksAtMost = 3

/**
 * Ends attempts: one statement for completions, one for all the others, and one for those of flows and those that end in a
 * wait. What has ended is told to `batches` by whoever knows that it is committed.
 */
export async function settle(
  db: Queries,
  context: SettleContext,
  settlements: readonly Settlement[],
): Promise<{ answers: SettleAnswer[]; moved: Moved }> {
  const answers: SettleAnswer[] = []
  const moved: Moved = { skipped: [], ready: false, asked: false }
  const { plain, others, any, twice } = split(settlements)
  const ways = [
    { items: plain, end: complete },
    { items: others, end: endOthers },
    { items: any, end: endAny(moved) },
  ].filter(way => way.items.length > 0)
  const ending = context.batches.ending(settlements.map(each => each.lease))
  let clean = true
  for (const [at, { items, end }] of ways.entries()) {
    // A batch goes with its last member: with the last statement, when those before have refused none.
    const last = at === ways.length - 1 && clean
    const done = await end(db, context, { items, ending: last ? ending : [] })
    if (done.length < items.length) clean = false
    for (const index of done) answers[index] = 'settled'
  }
  if (clean && twice.size === 0) return { answers, moved }
  const left = settlements
    .map((settlement, index): Item => ({ settlement, index }))
    .filter(({ index }) => answers[index] === undefined)
  await settleRest(db, context, { left, twice, ending, moved, answers })
  return { answers, moved }
}

function split(settlements: readonly Settlement[]): {
  plain: Item[]
  others: Item[]
  any: Item[]
  twice: Set<number>
} {
  const plain: Item[] = []
  const others: Item[] = []
  const any: Item[] = []
  const twice = new Set<number>()
  const tried = newestOfEachJob(settlements)
  settlements.forEach((settlement, index) => {
    const { lease, outcome } = settlement
    if (!tried.has(index)) return void twice.add(index)
    const group =
      lease.flow != null || outcome.kind === 'wait' ? any : outcome.kind === 'complete' ? plain : others
    group.push({ settlement, index })
  })
  // Rows are locked in the order of their ids, as by everybody who locks several.
  for (const group of [plain, others, any])
    group.sort((a, b) => (a.settlement.lease.id < b.settlement.lease.id ? -1 : 1))
  return { plain, others, any, twice }
}

/** What the first statements left over: jobs that have got into flows unknown to their worker, or that are not its to end. */
async function settleRest(
  db: Queries,
  context: SettleContext,
  of: {
    left: Item[]
    twice: ReadonlySet<number>
    ending: readonly number[]
    moved: Moved
    answers: SettleAnswer[]
  },
): Promise<void> {
  let { left } = of
  for (let looks = 1; left.length > 0; looks++) {
    const leases = left.map(({ settlement }) => settlement.lease)
    const standing = await standings(db, leases)
    const inFlow = left.filter(({ settlement: { lease }, index }) => {
      const row = standing(lease)
      return row?.state === 0 && row.epoch === lease.epoch - 1 && row.flow !== null && !of.twice.has(index)
    })
    const done =
      inFlow.length > 0 && looks <= looksAtMost
        ? await endAny(of.moved)(db, context, {
            items: inFlow,
            ending: inFlow.length === left.length ? of.ending : [],
          })
        : []
    for (const index of done) of.answers[index] = 'settled'
    left = left.filter(({ index }) => of.answers[index] === undefined)
    if (done.length > 0) continue
    const refused = refusals(leases, standing)
    left.forEach(({ index }, at) => {
      of.answers[index] = refused[at] as SettleAnswer
    })
    return
  }
}

/** Each answers the indexes of those that were this worker's to end. */
async function complete(db: Queries, context: SettleContext, { items, ending }: Group): Promise<number[]> {
  const lids = items.map(({ settlement }) => readToken(settlement.lease).lid)
  const row = await one<{ done: string[] | null }>(
    db,
    `SELECT millrace.settle_completed($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)::text[] AS done`,
    [
      context.worker,
      context.now,
      context.channel,
      context.quiet ? null : context.wake,
      array(items.map(({ settlement }) => settlement.lease.id)),
      array(items.map(({ settlement }) => settlement.lease.epoch)),
      array(items.map(({ settlement }) => whole(settlement.ranMs))),
      results(items),
      array(lids),
      array([...new Set(lids)]),
      array(ending),
    ],
  )
  if (row?.done === null) return items.map(({ index }) => index)
  return indexesOf(items, row?.done)
}

async function endOthers(db: Queries, context: SettleContext, { items, ending }: Group): Promise<number[]> {
  const each = <T>(read: (settlement: Settlement) => T): T[] =>
    items.map(({ settlement }) => read(settlement))
  const row = await one<{ done: string[] }>(
    db,
    `SELECT millrace.settle_others($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)::text[] AS done`,
    [
      context.worker,
      context.now,
      context.wake,
      array(each(({ lease }) => lease.id)),
      array(each(({ lease }) => lease.epoch)),
      array(each(({ ranMs }) => whole(ranMs))),
      array(each(({ lease }) => readToken(lease).lid)),
      array(ending),
      array(each(({ outcome }) => outcomeCodes[outcome.kind as keyof typeof outcomeCodes])),
      array(each(({ outcome }) => ('inMs' in outcome ? whole(outcome.inMs) : 0))),
      each(({ outcome }) => ('error' in outcome ? JSON.stringify(outcome.error) : null)),
      each(({ outcome }) => (outcome.kind === 'cancelled' ? outcome.reason : null)),
    ],
  )
  return indexesOf(items, row?.done)
}

function endAny(moved: Moved): (db: Queries, context: SettleContext, group: Group) => Promise<number[]> {
  return async (db, context, group) => {
    const { done, ...more } = await settleAny(db, context, group)
    moved.skipped.push(...more.skipped)
    moved.ready ||= more.ready
    moved.asked ||= more.asked
    return indexesOf(group.items, done)
  }
}

function indexesOf(items: readonly Item[], ids: readonly string[] = []): number[] {
  const done = new Set(ids)
  return items.filter(({ settlement }) => done.has(settlement.lease.id)).map(({ index }) => index)
}

/** The leases that were ended, now that it is committed. */
export function endedBy(settlements: readonly Settlement[], answers: readonly SettleAnswer[]): Lease[] {
  return settlements.filter((_, index) => answers[index] === 'settled').map(({ lease }) => lease)
}
