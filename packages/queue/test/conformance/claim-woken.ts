import { expect, it } from 'vitest'
import { aJob, complete, minuteMs, secondMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

/** What a worker gets that had nothing to do until now: no less than any other. */
export function claimWokenCases(subject: EngineSubject): void {
  it('takes what is more urgent first, though the worker has just been woken for something else', async () => {
    const stage = await openStage(subject)
    await stage.finished(complete())
    expect(await stage.claim()).toEqual([])
    const usual = await stage.enqueue()
    const urgent = await stage.enqueue({ priority: 1 })
    expect((await stage.claimOne()).id).toBe(urgent)
    expect((await stage.claimOne()).id).toBe(usual)
    const many = await stage.enqueueMany(3, { priority: 1 })
    const last = await stage.enqueue()
    const claimed: string[] = []
    for (let n = 0; n < 4; n++) claimed.push((await stage.claimOne()).id)
    expect(claimed).toEqual([...many, last])
    expect(await stage.claim()).toEqual([])
  })

  it('takes all that is due, though the worker has just been woken for one of them', async () => {
    const stage = await openStage(subject)
    for (const priority of [1, 5, 9]) await stage.finished(complete(), { priority })
    expect(await stage.claim()).toEqual([])
    const usual = await stage.enqueue({ priority: 5 })
    const late = await stage.enqueue({ priority: 9 })
    const urgent = await stage.enqueue({ priority: 1, delayMs: secondMs })
    await stage.clock.advance(2 * secondMs)
    expect((await stage.claim()).map(job => job.id)).toEqual([urgent, usual, late])
  })

  it('says so when something else is due at once, be it of a type that another process has just made', async () => {
    const stage = await openStage(subject)
    const other = await stage.another()
    await stage.finished(complete())
    const types = ['mail', 'report']
    expect(await stage.claim({ types })).toEqual([])
    const jobs = [aJob({ id: stage.newId() }), aJob({ id: stage.newId(), type: 'report', priority: 1 })]
    await other.enqueue(jobs)
    const first = await stage.claimAnswer({ types })
    if (first.jobs.length < 2) expect(first.nextDueInMs).toBe(0)
    const claimed = [...first.jobs, ...(await stage.claim({ types }))]
    expect(claimed.map(job => job.id).toSorted()).toEqual(jobs.map(job => job.id).toSorted())
  })

  it('says when the next delayed job is due, though the worker has just been woken for another', async () => {
    const stage = await openStage(subject)
    await stage.finished(complete())
    expect(await stage.claim()).toEqual([])
    await stage.enqueue({ delayMs: 10 * minuteMs })
    await stage.enqueue()
    expect(await stage.claimAnswer()).toMatchObject({ jobs: [{}], nextDueInMs: 10 * minuteMs })
    await stage.enqueue()
    expect(await stage.claimAnswer()).toMatchObject({ jobs: [{}], nextDueInMs: 10 * minuteMs })
  })
}
