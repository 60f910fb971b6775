import { describe, expect, it } from 'vitest'
import type { FeedEntry, FeedEvent } from '../../src/index.ts'
import { Crew } from './crew.ts'
import { work } from './jobs.ts'
import { useStage } from './stage.ts'
import type { CrashTarget } from './target.ts'

const options = { concurrency: 5, leaseMs: 900, sweepMs: 150, pollMs: 100 }
const spec = { n: 1, busyMs: 0, waitMs: 2_000, failures: 0, viaTx: false, chatty: false }

/** Who follows the feed sees what becomes of a worker's job when that is killed. */
export function describeFeed(target: CrashTarget): void {
  describe('the feed', () => {
    const stage = useStage(target)
    it('shows the rescue of a killed worker’s job, and its completion by another', {
      timeout: 60_000,
    }, async () => {
      const { millrace } = stage
      const follower = millrace.feed.follow()
      await follower.started
      const crew = new Crew(target, stage.store, options)
      const first = crew.start()
      const worker = await first.ready()
      const { id } = await millrace.enqueue(work, spec, { tenant: 'acme' })
      const seen: FeedEntry[] = []
      const until = async (event: FeedEvent): Promise<void> => {
        for await (const item of { [Symbol.asyncIterator]: () => ({ next: () => follower.next() }) }) {
          if (item.event !== 'gap' && item.id === id) seen.push(item)
          if (seen.at(-1)?.event === event) return
        }
      }
      await until('started')
      await first.kill()
      const second = crew.start()
      const rescuer = await second.ready()
      await until('completed')
      follower.end()
      // Two processes write down independently: a worker can be quicker than whoever enqueued.
      expect(seen.filter(({ event }) => event === 'enqueued').length).toBe(1)
      const told = seen.filter(({ event }) => event !== 'enqueued')
      expect(told.map(({ event, data }) => [event, data['worker']])).toEqual([
        ['started', worker],
        ['rescued', worker],
        ['started', rescuer],
        ['completed', rescuer],
      ])
      for (const entry of seen) expect(entry.tenant).toBe('acme')
      await second.stop()
      const [line] = await millrace.series({
        from: Date.now() - 120_000,
        until: Date.now() + 60_000,
        stepMs: 240_000,
      })
      expect(line?.points).toMatchObject([{ completed: 1, failed: 1, dead: 0 }])
    })
  })
}
