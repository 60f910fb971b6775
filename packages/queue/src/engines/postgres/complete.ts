import type { Completion, Lease, SettleAnswer } from '../../engine/contract.ts'
import { isQueueError } from '../../engine/errors.ts'
import { leaseRefusal } from './refusals.ts'
import { settle } from './settle.ts'
import type { Moved, SettleContext } from './settlements.ts'
import type { Store } from './store.ts'

/** Runs `work` and completes the job in one transaction; `work` gets the driver's client that the transaction is open on. */
export async function completeIn(
  store: Store,
  context: SettleContext,
  lease: Lease,
  work: (tx: unknown) => Completion | Promise<Completion>,
): Promise<{ answer: SettleAnswer; moved: Moved | null }> {
  const refused = Symbol('refused')
  let answer: SettleAnswer | null = null
  let moved: Moved | null = null
  try {
    await store.handlerTransaction(async (db, client) => {
      // The fence comes first, so that a zombie's work is not even begun. It is checked again, with the row locked, below.
      const refusal = await leaseRefusal(db, context, lease)
      if (refusal) {
        answer = refusal
        throw refused
      }
      const { resultJson, ranMs } = await work(client)
      const settlement = { lease, outcome: { kind: 'complete', resultJson }, ranMs } as const
      const settled = await settle(db, context, [settlement])
      answer = settled.answers[0] as SettleAnswer
      moved = settled.moved
      if (answer !== 'settled') throw refused
    })
  } catch (error) {
    if (error === refused) return { answer: answer ?? 'lease-lost', moved: null }
    // Whether the commit was carried out, only the database can tell.
    if (committing(answer) && isQueueError(error, 'unavailable'))
      return { answer: await store.persist(() => outcome(store, context, { lease, error })), moved }
    throw error
  }
  return { answer: answer ?? 'lease-lost', moved }
}

function committing(answer: SettleAnswer | null): boolean {
  return answer === 'settled'
}

async function outcome(
  store: Store,
  context: SettleContext,
  of: { lease: Lease; error: unknown },
): Promise<SettleAnswer> {
  const refusal = await leaseRefusal(store, context, of.lease)
  // Still this attempt's: nothing was committed, and the handler hears why.
  if (refusal === undefined) throw of.error
  return refusal === 'already-settled' ? 'settled' : refusal
}
