import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Outcome } from '../../src/job/decide.ts'
import { ModelRun } from './model-run.ts'
import { cancelled, complete, dead, release, retry, secondMs, snooze } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

/** One act of somebody on the store. `pick` chooses among what there is, by remainder. */
export type Act =
  | { act: 'enqueue'; type: string; queue: string; priority: number; delayMs: number; maxAttempts: number }
  | { act: 'claim'; queues: string[]; types: string[]; limit: number }
  | { act: 'settle'; pick: number; outcome: Outcome }
  | { act: 'beat'; pick: number }
  | { act: 'cancel' | 'redrive' | 'remove' | 'enqueue-again'; pick: number }
  | { act: 'reschedule'; pick: number; inMs: number | null; priority: number | null }
  | { act: 'pause'; queue: string; paused: boolean }
  | { act: 'rescue'; limit: number }
  | { act: 'advance'; ms: number }

const pick = fc.nat(1_000)
const type = fc.constantFrom('mail', 'report')
const queue = fc.constantFrom('a', 'b')
const priority = fc.integer({ min: 1, max: 4 })
// No sum of these equals the model's lease, so that nothing hangs on who wins at one and the same millisecond.
const waitMs = fc.constantFrom(0, secondMs, 5 * secondMs, 60 * secondMs)
const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant(complete('1')) },
  { weight: 2, arbitrary: waitMs.map(inMs => retry(inMs)) },
  { weight: 1, arbitrary: fc.constantFrom(dead(), cancelled(), release) },
  { weight: 1, arbitrary: waitMs.map(inMs => snooze(inMs)) },
)

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('enqueue' as const),
      type,
      queue,
      priority,
      delayMs: waitMs,
      maxAttempts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('claim' as const),
      queues: fc.subarray(['a', 'b'], { minLength: 1 }),
      types: fc.subarray(['mail', 'report'], { minLength: 1 }),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ act: fc.constant('settle' as const), pick, outcome }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('beat' as const), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom(
        'cancel' as const,
        'redrive' as const,
        'remove' as const,
        'enqueue-again' as const,
      ),
      pick,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('reschedule' as const),
      pick,
      inMs: fc.option(waitMs),
      priority: fc.option(priority),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('pause' as const), queue, paused: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('rescue' as const), limit: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('advance' as const),
      ms: fc.constantFrom(secondMs, 5 * secondMs, 11 * secondMs),
    }),
  },
)

export function modelCases(subject: EngineSubject): void {
  it('any sequence of acts leaves the store as a plain model says, its counters equal to a recount', async () => {
    const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31)
    const runs = Number(process.env['MILLRACE_RUNS'] ?? subject.modelRuns ?? 400)
    let stage = await openStage(subject)
    const property = fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 60 }), async acts => {
      const run = new ModelRun(stage)
      try {
        for (const each of acts) await run.perform(each)
        await run.compare()
        await run.clear()
        expect(await stage.engine.list({}, { limit: 1 })).toEqual({ jobs: [], cursor: null })
      } catch (error) {
        // What a failed run leaves behind must not make the shorter ones fail.
        stage = await openStage(subject)
        throw error
      }
    })
    // A failure prints its seed and the shortest sequence of acts that shows it.
    await fc.assert(property, { seed, numRuns: runs })
  }, 600_000)
}
