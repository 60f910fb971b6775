import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { FailurePolicy } from '../../src/engine/flow.ts'
import { type FlowAct, FlowModelRun, type NodeShape } from './flow-model-run.ts'
import { cancelled, complete, dead, release, retry, secondMs, snooze } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

const pick = fc.nat(1_000)
const policy = fc.constantFrom<FailurePolicy>('fail', 'skip', 'continue')
// No sum of these equals the lease, so that nothing hangs on who wins at one and the same millisecond.
const waitMs = fc.constantFrom(0, 0, secondMs, 5 * secondMs)

const shape: fc.Arbitrary<NodeShape> = fc.record({
  after: fc.array(pick, { maxLength: 3 }),
  policy,
  delayMs: fc.constantFrom(0, 0, 0, 0, 5 * secondMs),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
})

const outcome = fc.oneof(
  { weight: 5, arbitrary: fc.constant(complete('1')) },
  { weight: 3, arbitrary: fc.constant(dead()) },
  { weight: 1, arbitrary: fc.constant(cancelled()) },
  { weight: 1, arbitrary: waitMs.map(inMs => retry(inMs)) },
  { weight: 1, arbitrary: fc.oneof(fc.constant(release), waitMs.map(snooze)) },
)

const act: fc.Arbitrary<FlowAct> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ act: fc.constant('claim' as const), pick }) },
  { weight: 8, arbitrary: fc.record({ act: fc.constant('settle' as const), pick, outcome }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('extend' as const),
      pick,
      nodes: fc.array(shape, { minLength: 1, maxLength: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('wait' as const),
      pick,
      limitMs: fc.constantFrom(null, null, 5 * secondMs),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('cancel' as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('redrive' as const),
      picks: fc.array(pick, { minLength: 1, maxLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('cancel-flow', 'redrive-flow'), pick }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('die' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('advance' as const),
      ms: fc.constantFrom(secondMs, 5 * secondMs),
    }),
  },
)

export function flowModelCases(subject: EngineSubject): void {
  it('any sequence of acts on any flow leaves it as a plain model says, and none is ever stuck', async () => {
    const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31)
    const runs = Number(process.env['MILLRACE_RUNS'] ?? subject.flowRuns ?? 1_000)
    let stage = await openStage(subject)
    const shapes = fc.array(shape, { minLength: 1, maxLength: 12 })
    const acts = fc.array(act, { minLength: 5, maxLength: 40 })
    const property = fc.asyncProperty(shapes, acts, async (nodes, performed) => {
      const run = new FlowModelRun(stage)
      try {
        await run.begin(nodes)
        for (const each of performed) await run.perform(each)
        await run.finish()
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
