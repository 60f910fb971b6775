import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeStore, storeKinds, type TestStore } from '../../api/test/stores.ts'
import { config, Workplace } from './millrace-process.ts'

const withConfig = ['--config', config]

describe.each(storeKinds)('a store without a server, on %s', kind => {
  let place: Workplace
  let store: TestStore
  let empty: TestStore
  beforeAll(async () => {
    store = await makeStore(kind)
    empty = await makeStore(kind)
    place = await Workplace.make({ MILLRACE_URL: store.url })
  })
  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    await empty[Symbol.asyncDispose]()
  })

  it('is made and described by migrate', async () => {
    const { code, stdout } = await place.run(['migrate'])
    const [told] = stdout.split('\n')
    expect([code, told]).toEqual([
      0,
      expect.stringMatching(`^\\S+ is at schema version [1-9]\\d* \\(${kind}, durable\\)\\.$`),
    ])
    expect(await place.json(['migrate'])).toMatchObject({ ok: true, engine: kind })
  })

  it('says so when it holds nothing', async () => {
    const { url } = empty
    expect((await place.run(['jobs', '--url', url])).stdout).toBe(`No jobs yet in ${url}.\n`)
    expect((await place.run(['schedules', '--url', url])).stdout).toBe(`No schedules in ${url}.\n`)
    expect(await place.json(['jobs', '--url', url])).toEqual({ jobs: [], cursor: null })
  })

  it('takes a job, its id alone on a line', async () => {
    const { code, stdout } = await place.run(['enqueue', 'COUNT', '{"to":2}', ...withConfig])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[0-9a-f-]{36}\n$/)
  })

  it('takes a payload from standard input', async () => {
    const { code, stdout } = await place.run(['enqueue', 'COUNT', '-', ...withConfig], { input: '{"to":3}' })
    expect(code).toBe(0)
    expect((await place.json(['jobs', 'show', stdout.trim()])).payload).toEqual({ to: 3 })
  })

  it('takes every option of a job', async () => {
    const options = [
      '--queue',
      'slow',
      '--priority',
      '2',
      '--max-attempts',
      '7',
      '--tenant',
      'acme',
      '--key',
      'k1',
    ]
    const args = [
      'enqueue',
      'COUNT',
      '{"to":1}',
      '--run-at',
      '2999-01-01T00:00:00Z',
      ...options,
      ...withConfig,
    ]
    const first = await place.json(args)
    expect(first.duplicate).toBe(false)
    expect(await place.json(args)).toEqual({ id: first.id, duplicate: true })
    expect(await place.json(['jobs', 'show', first.id])).toMatchObject({
      queue: 'slow',
      priority: 2,
      maxAttempts: 7,
      tenant: 'acme',
      idempotencyKey: 'k1',
      shown: 'scheduled',
      runAt: '2999-01-01T00:00:00.000Z',
    })
  })

  it('is drained as far as asked', async () => {
    await place.run(['enqueue', 'FAIL', '{"message":"no luck"}', ...withConfig])
    expect(await place.json(['drain', '--max-jobs', '1', ...withConfig])).toMatchObject({
      endedBy: 'max-jobs',
    })
    expect(await place.json(['drain', ...withConfig])).toMatchObject({
      completed: 1,
      dead: 1,
      endedBy: 'empty',
    })
    const { stdout } = await place.run(['drain', '--budget', '10s', ...withConfig])
    expect(stdout).toBe('0 attempts done; nothing else is due.\n')
  })

  it('lists jobs in a table', async () => {
    const { stdout } = await place.run(['jobs', '--state', 'dead'])
    const [titles, ...rows] = stdout.trimEnd().split('\n')
    expect(titles).toMatch(/^ID +TYPE +STATE +TRIES +WHEN +NOTE$/)
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatch(/^[0-9a-f-]{36} {2}FAIL +dead +1\/1 +.*(ago|now) +no luck$/)
  })

  it('lists page by page', async () => {
    const first = await place.json(['jobs', 'list', '--limit', '2'])
    const second = await place.json(['jobs', 'list', '--limit', '2', '--cursor', String(first.cursor)])
    expect([...first.jobs, ...second.jobs]).toHaveLength(4)
    expect(second.cursor).toBeNull()
    expect((await place.run(['jobs', '--limit', '2'])).stdout).toContain(`--cursor ${first.cursor}`)
  })

  it('lists jobs by their attributes, and shows those', async () => {
    const { jobs } = await place.json(['jobs', '--where', 'message=no luck', '--where', 'length=7'])
    expect(jobs).toMatchObject([{ type: 'FAIL', attributes: { message: 'no luck', length: '7' } }])
    expect((await place.json(['jobs', '--where', 'message=no luck', '--state', 'queued'])).jobs).toEqual([])
    expect((await place.run(['jobs', '--where', 'message=no'])).stdout).toContain('No jobs like that in')
    const id = String(jobs[0]?.id)
    expect((await place.json(['jobs', 'show', id])).attributes).toEqual({ message: 'no luck', length: '7' })
    expect((await place.run(['jobs', 'show', id])).stdout).toContain(
      '  where     length=7  message=no luck\n',
    )
    const plan = await place.run(['bulk', 'retry', '--where', 'length=7', '--dry-run'])
    expect(plan.stdout).toContain('1 job')
  })

  it('finds jobs by text, and says how far it has looked', async () => {
    expect(await place.json(['jobs', '--search', 'NO LUCK'])).toMatchObject({
      jobs: [{ type: 'FAIL', state: 'dead' }],
      looked: 4,
      complete: true,
      cursor: null,
    })
    const { stdout } = await place.run(['jobs', '--search', 'luck'])
    expect(stdout).toMatch(/FAIL +dead .*no luck\nFound 1 among 4 jobs of .*, and looked at all\.\n$/)
    const first = await place.json(['jobs', '--search', 'to', '--look', '1'])
    expect(first).toMatchObject({ looked: 1, complete: false })
    const rest = await place.json(['jobs', '--search', 'to', '--cursor', String(first.cursor)])
    expect(rest).toMatchObject({ looked: 3, complete: true })
    expect([...first.jobs, ...rest.jobs]).toHaveLength(3)
    const none = await place.run(['jobs', '--search', 'nowhere', '--where', 'length=7'])
    expect(none.stdout).toMatch(/^Found none among 1 job of /)
  })

  it('shows a dead job with its attempts, error and payload', async () => {
    const { jobs } = await place.json(['jobs', '--state', 'dead'])
    const { stdout } = await place.run(['jobs', 'show', String(jobs[0]?.id)])
    expect(stdout).toMatch(/^FAIL {2}dead\n/)
    expect(stdout).toMatch(/Payload\n {2}\{\n {4}"message": "no luck"/)
    expect(stdout).toMatch(/Last error\n {2}TypeError: no luck\n/)
    expect(stdout).toMatch(/Attempts\n {2}#.*\n {2}1 {2}failed/)
  })

  it('shows the log of a job', async () => {
    const { jobs } = await place.json(['jobs', '--state', 'completed'])
    const { stdout } = await place.run(['jobs', 'show', String(jobs[0]?.id)])
    expect(stdout).toMatch(/Log\n {2}\d\d:\d\d:\d\d\.\d{3} {2}info {3}counted {2}\{"n":1\}/)
    expect(stdout).toMatch(/Result\n {2}\{\n {4}"counted": /)
  })

  it('counts by state, type and queue', async () => {
    const { stdout } = await place.run(['stats'])
    expect(stdout).toMatch(/all +0 +1 +0 +0 +2 +0 +1\n/)
    expect(stdout).toMatch(/by type\n {2}COUNT .*\n {2}FAIL /)
    expect(stdout).toMatch(/by queue\n {2}default .*\n {2}slow /)
    expect(stdout).toContain('Last 24 hours: 2 completed, 1 dead, 0 cancelled; 1 failed attempts.')
    expect((await place.json(['stats'])).total).toMatchObject({ completed: 2, dead: 1, delayed: 1 })
  })

  it('lists schedules with their next instants', async () => {
    const { schedules } = await place.json(['schedules'])
    expect(schedules.map((each: { name: string }) => each.name)).toEqual(['nightly', 'often'])
    for (const { next } of schedules) expect(next).toEqual([...next].sort())
    const { stdout } = await place.run(['schedules'])
    expect(stdout).toMatch(/nightly +COUNT +30 2 \* \* \* \(America\/New_York\) +in /)
    expect(stdout).toMatch(/often +COUNT +every 6 h +in /)
  })

  it('cancels and retries by id', async () => {
    const { id } = await place.json(['enqueue', 'COUNT', '{"to":1}', '--delay', '1h', ...withConfig])
    expect((await place.run(['jobs', 'retry', id])).code).toBe(1)
    expect(await place.json(['jobs', 'cancel', id, '--reason', 'a mistake'])).toEqual({
      jobs: [{ id, outcome: 'cancelled' }],
    })
    expect(await place.json(['jobs', 'show', id])).toMatchObject({
      state: 'cancelled',
      cancelReason: 'a mistake',
    })
    expect(await place.json(['jobs', 'retry', id])).toEqual({ jobs: [{ id, outcome: 'redriven' }] })
  })
})
