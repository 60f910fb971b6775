import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createMillrace, openEngine } from '../../src/index.ts'
import type { ProducerInput } from './children/producer.ts'
import { work } from './jobs.ts'
import { Child, killAllChildren } from './process.ts'
import { Random } from './random.ts'
import type { CrashTarget } from './target.ts'

/** Processes that meet in an empty store, and are killed while it gets its schema. */
export function describeBirth(target: CrashTarget, seed: number): void {
  describe('an empty store', () => {
    it('that several processes open at once, some killed on the way, becomes a sound one', {
      timeout: 120_000,
    }, async () => {
      const random = new Random(seed)
      for (let round = 0; round < 5; round++) {
        const store = await target.createStore()
        try {
          const children = [0, 1, 2].map(
            lane => new Child('producer', { ...producer(store.url, store.folder, lane) }),
          )
          await wait(random.between(60, 350))
          await children[0]?.kill()
          await Promise.all(children.slice(1).map(child => child.ready()))
          await Promise.all(children.slice(1).map(child => child.report('acked')))
          await Promise.all(children.slice(1).map(child => child.stop()))
          const millrace = createMillrace({ engine: openEngine(store.url), jobs: [work] })
          expect((await millrace.stats()).total.ready).toBeGreaterThan(0)
          expect(await millrace.health()).toMatchObject({ ok: true, durability: 'durable' })
          await millrace.close()
          expect(await store.complaints()).toEqual([])
        } finally {
          await killAllChildren()
          await store.remove()
        }
      }
    })
  })
}

function producer(url: string, folder: string, lane: number): ProducerInput {
  return {
    url,
    ledgers: folder,
    ledger: `producer-${lane}`,
    predecessor: null,
    firstN: lane * 1_000_000,
    seed: lane,
    paceMs: 20,
    death: null,
  }
}
