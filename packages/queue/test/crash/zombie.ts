import type { Millrace } from '../../src/index.ts'
import { eventually } from './eventually.ts'
import { inFlight, readLedger } from './ledger.ts'
import type { Child } from './process.ts'
import type { StormRecord } from './storm.ts'
import type { CrashStore } from './target.ts'

/** A worker that slept through the end of its leases and then went on. */
export interface Zombie {
  ledger: string
  frozenAt: number
  thawedAt: number
  /** What it was in the middle of, and lost. */
  lost: { id: string; attempt: number; epoch: number }[]
}

/**
 * Freezes the worker, waits until the store shows that what it runs was taken from it, thaws it and waits until each of
 * its handlers has come to its late end. Null when the moment was a bad one: nothing ran, or it was in the middle of a
 * transaction (that case has a test of its own).
 */
export async function makeZombie(
  child: Child,
  record: Pick<StormRecord, 'ledgers' | 'plan'>,
  store: CrashStore,
  millrace: Millrace,
): Promise<Zombie | null> {
  await child.freeze()
  const frozenAt = Date.now()
  const begun = inFlight(record.ledgers, child.ledger)
  if (begun.length === 0 || (await store.hasOpenTransaction())) {
    child.thaw()
    return null
  }
  const { leaseMs, sweepMs } = record.plan
  const taken = await eventually(
    'what a frozen worker ran is rescued',
    leaseMs + sweepMs + 15_000,
    async () => {
      const fates = await Promise.all(
        begun.map(async lease => ({ lease, fate: await fateOf(millrace, lease) })),
      )
      return fates.every(({ fate }) => fate !== 'running') && fates
    },
  )
  const thawedAt = Date.now()
  child.thaw()
  await eventually('a thawed worker ends what it ran', 15_000, () => {
    const running = new Set(inFlight(record.ledgers, child.ledger).map(lease => `${lease.id} ${lease.epoch}`))
    return begun.every(lease => !running.has(`${lease.id} ${lease.epoch}`))
  })
  const lost = taken.filter(({ fate }) => fate === 'worker-lost').map(({ lease }) => lease)
  return lost.length === 0 ? null : { ledger: child.ledger, frozenAt, thawedAt, lost }
}

async function fateOf(millrace: Millrace, lease: { id: string; epoch: number }): Promise<string> {
  const attempts = await millrace.attempts(lease.id)
  return attempts.find(attempt => attempt.epoch === lease.epoch)?.outcome ?? 'running'
}

/** How the zombie's late ends were answered: one of these for each lease that it lost. */
export function refusals(folder: string, zombie: Zombie): Map<string, string[]> {
  const facts = readLedger(folder, zombie.ledger)
  const heard = (lease: Zombie['lost'][number]): string[] =>
    facts.flatMap(fact => {
      if (fact.k === 'lost' && fact.id === lease.id && fact.attempt === lease.attempt)
        return ['lease-lost event']
      if (fact.k === 'settle' && fact.id === lease.id && fact.epoch === lease.epoch)
        return [`settle: ${fact.answer}`]
      return []
    })
  return new Map(zombie.lost.map(lease => [`${lease.id} ${lease.epoch}`, heard(lease)]))
}
