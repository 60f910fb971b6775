import { expect, it } from 'vitest'
import type { Lane, Lease, NewJob } from '../../src/engine/contract.ts'
import type { Why } from '../../src/index.ts'
import type { Wait } from '../../src/job/wait.ts'
import { openRuntime } from './runtime-stage.ts'
import { aJob, cancelled, complete, dead, hourMs, minuteMs, retry, snooze, unknownId } from './samples.ts'
import type { EngineSubject, Stage } from './stage.ts'

const mailLane: Lane = { queue: 'default', types: ['mail'] }

/** Why a job is not running: the true cause, in one sentence. */
export function whyCases(subject: EngineSubject): void {
  it.each([
    ['completed', complete(), /^It completed at 2026-01-15T12:00:00Z\.$/],
    ['cancelled', cancelled('no longer wanted.'), /^It was cancelled at \S+Z: no longer wanted\.$/],
    ['dead', dead('no\nluck'), /^It died at \S+Z in attempt 1 of 3: Error: no luck\.$/],
  ] as const)('says how a %s job ended', async (state, outcome, sentence) => {
    const { stage, why } = await bound(subject)
    const { id } = await stage.finished(outcome)
    expect(await why(id)).toMatchObject({ id, state, cause: 'finished', details: { state } })
    expect((await why(id)).sentence).toMatch(sentence)
  })

  it('says who runs a job, and until when its lease lasts', async () => {
    const { stage, why } = await bound(subject)
    await live(stage, [mailLane])
    const { id } = await stage.running()
    await stage.engine.cancel([id], 'too slow')
    expect(await why(id)).toMatchObject({
      cause: 'running',
      sentence: expect.stringMatching(
        /^It is running: host:1 has held it since \S+Z, with a lease until \S+Z; it was asked to stop \(too slow\)\.$/,
      ),
      details: { worker: 'worker-1', label: 'host:1', leaseHolds: true, until: stage.clock.now() + minuteMs },
    })
  })

  it('says that a job waits to be rescued, and whether anybody is there to do it', async () => {
    const { stage, why } = await bound(subject)
    const { id } = await stage.running()
    await stage.clock.advance(minuteMs + 1)
    expect(await why(id)).toMatchObject({
      cause: 'running',
      state: 'running',
      details: { leaseHolds: false, rescuers: 0 },
      sentence: expect.stringMatching(/went silent: the lease ended at \S+Z, and no other is alive/),
    })
    await live(stage, null, 'worker-2')
    expect((await why(id)).sentence).toMatch(/another gives it back at its next sweep\.$/)
  })

  it('says when a new job is due', async () => {
    const { stage, why } = await bound(subject)
    const id = await stage.enqueue({ delayMs: hourMs })
    expect(await why(id)).toMatchObject({
      cause: 'not-due',
      details: { after: 'first', runAt: stage.clock.now() + hourMs, error: null },
      sentence: 'It is not due before 2026-01-15T13:00:00Z.',
    })
  })

  it('says after what failure a job backs off', async () => {
    const { stage, why } = await bound(subject)
    const { id } = await stage.finished(retry(hourMs, 'the relay is away'))
    expect(await why(id)).toMatchObject({
      cause: 'not-due',
      details: { after: 'failure', attempt: 1, maxAttempts: 3, error: { message: 'the relay is away' } },
      sentence:
        'Attempt 1 of 3 failed (Error: the relay is away), and the next one is due at 2026-01-15T13:00:00Z.',
    })
  })

  it('says that a job was put off by its handler', async () => {
    const { stage, why } = await bound(subject)
    const { id } = await stage.finished(snooze(hourMs))
    expect(await why(id)).toMatchObject({
      cause: 'not-due',
      details: { after: 'snooze', error: null },
      sentence: 'Its handler put it off until 2026-01-15T13:00:00Z.',
    })
  })

  it('says that its queue is paused, before anything about workers', async () => {
    const { stage, why } = await bound(subject)
    const id = await stage.enqueue()
    await stage.engine.configureQueue('default', { paused: true })
    expect(await why(id)).toMatchObject({
      cause: 'paused-queue',
      details: { queue: 'default' },
      sentence: 'Its queue default is paused.',
    })
  })

  it('says that no worker is alive, also when one was', async () => {
    const { stage, why } = await bound(subject)
    const id = await stage.enqueue()
    await live(stage, [mailLane])
    await stage.clock.advance(minuteMs + 1)
    expect(await why(id)).toMatchObject({ cause: 'no-worker', details: {} })
    expect((await why(id)).sentence).toBe('It is due, but no worker is alive on this store.')
  })

  it('says that no live worker claims its type, and where one does', async () => {
    const { stage, why } = await bound(subject)
    const id = await stage.enqueue({ queue: 'slow' })
    await live(stage, [{ queue: 'slow', types: ['other'] }])
    expect(await why(id)).toMatchObject({
      cause: 'unknown-type',
      details: { type: 'mail', queue: 'slow', workers: 1, claimedIn: [] },
      sentence: '1 worker is alive, but it does not claim mail from queue slow.',
    })
    await live(stage, [mailLane], 'worker-2')
    expect((await why(id)).sentence).toBe(
      '2 workers are alive, but none claims mail from queue slow, only from default.',
    )
  })

  it.each([
    ['that claim its type', [mailLane]],
    ['that have not said what they claim', null],
  ])('says that a due job waits for its turn with workers %s', async (_who, lanes) => {
    const { stage, why } = await bound(subject)
    const ids = await stage.enqueueMany(3)
    await live(stage, lanes)
    expect(await why(ids[1] as string)).toMatchObject({
      cause: 'queue-position',
      details: { queue: 'default', ready: 3, running: 0, workers: 1 },
      sentence:
        'It is due and waits for its turn: 3 jobs are ready in queue default, 0 run, and 1 worker claims there.',
    })
  })

  it('says which jobs block it, the first ten of them', async () => {
    const { stage, why } = await bound(subject)
    const first = Array.from({ length: 12 }, (_, n) => node(stage, `page-${n}`))
    const last = node(stage, 'report', { after: first.map(each => each.job.id) })
    await enqueueFlow(stage, [...first, last])
    await stage.settle(await stage.claimOne(), complete())
    const told = await why(last.job.id)
    expect(told).toMatchObject({ cause: 'blocked', state: 'blocked', details: { more: 1 } })
    if (told.cause === 'blocked') expect(told.details.by).toHaveLength(10)
    expect(told.sentence).toMatch(
      /^It waits for 11 jobs: page-1 \(queued\), .*page-10 \(queued\) and 1 more\.$/,
    )
  })

  it.each([
    [null, 'blocked', 'It waits for the signal approved in its step approval, without limit.'],
    [hourMs, 'queued', 'It waits for the signal approved in its step approval, until 2026-01-15T13:00:00Z.'],
  ] as const)('says which signal it waits for, within %s', async (inMs, state, sentence) => {
    const { stage, why } = await bound(subject)
    const job = await stage.running()
    await waits(stage, job, { kind: 'signal', name: 'approval', signal: 'approved' }, inMs)
    expect(await why(job.id)).toMatchObject({
      cause: 'waiting-signal',
      state,
      sentence,
      details: { step: 'approval', signal: 'approved' },
    })
  })

  it('does not say that it waits for a signal that has come', async () => {
    const { stage, why } = await bound(subject)
    const job = await stage.running()
    await waits(stage, job, { kind: 'signal', name: 'approval', signal: 'approved' }, hourMs)
    await stage.engine.signal({ id: stage.newId(), jobId: job.id, name: 'approved', payloadJson: 'true' })
    await live(stage, [mailLane])
    expect(await why(job.id)).toMatchObject({ cause: 'queue-position' })
  })

  it('says until when it sleeps', async () => {
    const { stage, why } = await bound(subject)
    const job = await stage.running()
    await waits(stage, job, { kind: 'sleep', name: 'nap', signal: null }, hourMs)
    expect(await why(job.id)).toMatchObject({
      cause: 'sleeping',
      details: { step: 'nap', until: stage.clock.now() + hourMs },
      sentence: 'It sleeps in its step nap until 2026-01-15T13:00:00Z.',
    })
    await stage.clock.advance(hourMs)
    await live(stage, [mailLane])
    expect(await why(job.id)).toMatchObject({ cause: 'queue-position' })
  })

  it('says which job of its own it waits for', async () => {
    const { stage, why } = await bound(subject)
    const job = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'resize' })
    await waits(stage, job, { kind: 'job', name: 'thumbnails', signal: null }, null, child)
    expect(await why(job.id)).toMatchObject({
      cause: 'waiting-job',
      details: { step: 'thumbnails', child: child.id, type: 'resize', state: 'queued', until: null },
      sentence: `It waits in its step thumbnails for job resize ${child.id}, which is queued.`,
    })
  })

  it('throws not-found for a job that is not there', async () => {
    const { why } = await bound(subject)
    await expect(why(unknownId)).rejects.toMatchObject({ code: 'not-found' })
    await expect(why('nonsense')).rejects.toMatchObject({ code: 'invalid-argument' })
  })
}

async function bound(subject: EngineSubject) {
  const { stage, millrace } = await openRuntime(subject)
  return { stage, why: (id: string): Promise<Why> => millrace.why(id) }
}

/** A worker that holds a lease and has said what it claims. */
async function live(stage: Stage, lanes: Lane[] | null, worker = 'worker-1'): Promise<void> {
  const beat = { worker, label: `host:${worker.at(-1)}`, leases: [], leaseMs: minuteMs }
  await stage.engine.heartbeat(lanes === null ? beat : { ...beat, lanes })
}

function node(stage: Stage, name: string, options: { after?: string[] } = {}) {
  const job = aJob({ id: stage.newId() })
  return { name, job, after: options.after ?? [], onFailure: 'fail' as const }
}

async function enqueueFlow(stage: Stage, nodes: ReturnType<typeof node>[]): Promise<void> {
  const flow = { id: stage.newId(), name: 'site', tenant: '', idempotency: null, nodes }
  expect(await stage.engine.enqueueFlow(flow)).toMatchObject({ outcome: 'enqueued' })
}

/** Ends a running job's attempt in a step that waits. */
async function waits(
  stage: Stage,
  lease: Lease,
  step: Omit<Wait['step'], 'ordinal'>,
  inMs: number | null,
  child?: NewJob,
): Promise<void> {
  const wait: Wait = { step: { ...step, ordinal: 1 }, inMs, until: null }
  const settlement = {
    lease,
    outcome: { kind: 'wait' as const, wait },
    ranMs: 0,
    ...(child ? { child } : {}),
  }
  expect(await stage.engine.settle('worker-1', [settlement])).toEqual(['settled'])
}
