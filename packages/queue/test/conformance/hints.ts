import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/engine/clock.ts'
import type { Engine, Hint, Lease } from '../../src/engine/contract.ts'
import { idMaker } from '../../src/job/id.ts'
import { turn } from '../support/test-clock.ts'
import { aJob, complete, dead, minuteMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

/** What a worker relies on when no hint comes. */
const pollMs = 1_000

export function hintCases(subject: EngineSubject): void {
  describe('in the process', () => {
    it('an enqueue says at once that jobs may be ready', async () => {
      const stage = await openStage(subject)
      const hints = heard(stage.engine)
      await stage.enqueue({ queue: 'slow' })
      await stage.clock.quiet()
      expect(
        hints.some(hint => hint.kind === 'ready' && (hint.queue === null || hint.queue === 'slow')),
      ).toBe(true)
    })

    it('a settle says at once which jobs have finished', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(2)
      const [first, second] = await stage.claim()
      if (!first || !second) throw new Error('two jobs were expected')
      const hints = heard(stage.engine)
      await stage.settle(first, complete())
      await stage.settle(second, dead())
      await stage.clock.quiet()
      const finished = hints.flatMap(hint => (hint.kind === 'settled' && hint.ids ? [...hint.ids] : []))
      expect(finished).toEqual([first.id, second.id])
    })

    it('a cancel of a waiting job says that it has finished', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      const hints = heard(stage.engine)
      await stage.engine.cancel([id], '')
      await stage.clock.quiet()
      expect(hints.some(hint => hint.kind === 'settled' && (hint.ids === null || hint.ids.has(id)))).toBe(
        true,
      )
    })

    it('a cancel of a running job says that somebody wants one cancelled', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.running()
      const hints = heard(stage.engine)
      await stage.engine.cancel([id], '')
      await stage.clock.quiet()
      expect(hints.map(hint => hint.kind)).toContain('cancel')
    })

    it.each(['redrive', 'resume', 'reschedule', 'release'] as const)(
      'a %s says at once that jobs may be ready',
      async what => {
        const stage = await openStage(subject)
        const lease = what === 'redrive' ? await stage.finished(dead()) : await stage.running()
        const waiting = await stage.enqueue({ delayMs: minuteMs })
        await stage.engine.configureQueue('default', { paused: true })
        const hints = heard(stage.engine)
        if (what === 'redrive') await stage.engine.redrive([lease.id])
        if (what === 'resume') await stage.engine.configureQueue('default', { paused: false })
        if (what === 'reschedule') await stage.engine.reschedule([{ id: waiting, runAt: stage.clock.now() }])
        if (what === 'release') await stage.settle(lease, { kind: 'release' })
        await stage.clock.quiet()
        expect(hints.map(hint => hint.kind)).toContain('ready')
      },
    )

    it('a tick of a schedule says at once that jobs may be ready', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      const hints = heard(stage.engine)
      await stage.engine.fireTick({
        schedule: 'hourly',
        scheduledAt: firstAt,
        expectedNextAt: firstAt,
        nextAt: firstAt + minuteMs,
        outcome: 'fire',
        job: aJob({ id: stage.newId() }),
      })
      await stage.clock.quiet()
      expect(hints.map(hint => hint.kind)).toContain('ready')
    })

    it('are heard by each subscriber until it stops', async () => {
      const stage = await openStage(subject)
      const [first, second]: [Hint[], Hint[]] = [[], []]
      const off = stage.engine.subscribe(hint => first.push(hint))
      stage.engine.subscribe(hint => second.push(hint))
      await stage.enqueue()
      await stage.clock.quiet()
      off()
      off()
      const heardBefore = first.length
      await stage.enqueue()
      await stage.clock.quiet()
      expect(heardBefore).toBeGreaterThan(0)
      expect(first).toHaveLength(heardBefore)
      expect(second.length).toBeGreaterThan(heardBefore)
    })

    it('a subscriber that throws costs nobody an enqueue, nor others their hint', async () => {
      const stage = await openStage(subject)
      stage.engine.subscribe(() => {
        throw new Error('a careless listener')
      })
      const hints = heard(stage.engine)
      const id = await stage.enqueue()
      await stage.clock.quiet()
      expect((await stage.job(id)).state).toBe('queued')
      expect(hints.length).toBeGreaterThan(0)
    })
  })

  describe('across instances, long before a poll', () => {
    it.each(['enqueue', 'settle', 'cancel'] as const)('an %s is heard of', async what => {
      const { engine, other } = await openPair(subject)
      const newId = idMaker(Date.now, bytes => crypto.getRandomValues(bytes))
      const id = newId()
      await engine.enqueue([aJob({ id })])
      const { jobs } = await engine.claim({
        worker: 'worker-1',
        lanes: [{ queue: 'default', types: ['mail'] }],
        limit: 1,
        leaseMs: minuteMs,
      })
      const kind = ({ enqueue: 'ready', settle: 'settled', cancel: 'cancel' } as const)[what]
      // What was written before may still be told: only a hint that comes after the act is meant.
      await heardAfter(other, 'other', () => engine.enqueue([aJob({ id: newId(), queue: 'other' })]))
      const heardOf = new Promise<void>(resolve => {
        other.subscribe(hint => hint.kind === kind && isOf(hint, 'default') && resolve())
      })
      const sinceMs = performance.now()
      if (what === 'enqueue') await engine.enqueue([aJob({ id: newId() })])
      else if (what === 'cancel') await engine.cancel([id], '')
      else await engine.settle('worker-1', [{ lease: jobs[0] as Lease, outcome: complete(), ranMs: 0 }])
      await heardOf
      expect(performance.now() - sinceMs).toBeLessThan(pollMs)
    })
  })
}

/** Two engines on one store in real time: how they hear of each other no virtual clock can drive. */
async function openPair(subject: EngineSubject): Promise<{ engine: Engine; other: Engine }> {
  const under = await subject.open({ clock: systemClock })
  onTestFinished(() => under.close())
  await under.engine.open()
  const other = await under.another()
  onTestFinished(() => other.close())
  await other.open()
  return { engine: under.engine, other }
}

/** Acts until the engine hears of that queue: whoever has just begun to listen may miss the first word. */
async function heardAfter(engine: Engine, queue: string, act: () => Promise<unknown>): Promise<void> {
  let isHeard = false
  const off = engine.subscribe(hint => {
    if (hint.kind === 'ready' && isOf(hint, queue)) isHeard = true
  })
  onTestFinished(off)
  for (let acts = 0; !isHeard; acts++) {
    if (acts > 20) throw new Error('no hint was heard of any of 20 acts')
    await act()
    for (const sinceMs = performance.now(); !isHeard && performance.now() - sinceMs < pollMs / 2; )
      await turn()
  }
}

function isOf(hint: Hint, queue: string): boolean {
  return hint.kind !== 'ready' || hint.queue === null || hint.queue === queue
}

function heard(engine: Engine): Hint[] {
  const hints: Hint[] = []
  engine.subscribe(hint => hints.push(hint))
  return hints
}
