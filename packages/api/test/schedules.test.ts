import { describe, expect, it } from 'vitest'
import { daily, scheduleStage } from './schedule-stage.ts'
import { storeKinds } from './stores.ts'

describe.each(storeKinds)('schedules over HTTP, on %s', kind => {
  const stage = scheduleStage(kind)
  const { at, put, act } = stage

  describe('PUT', () => {
    it('creates, leaves as it is, and changes', async () => {
      const created = await put('put', daily)
      expect([created.status, created.body.outcome]).toEqual([201, 'created'])
      expect(created.body.schedule).toMatchObject({
        name: 'put',
        rule: { cron: '0 7 * * *', timeZone: 'Europe/Paris' },
        misfire: 'fire-once',
        overlap: 'allow',
        job: {
          type: 'ECHO',
          queue: 'fast',
          tenant: null,
          priority: 5,
          maxAttempts: 3,
          payload: { text: 'x' },
        },
        cursorAt: null,
        paused: false,
        disabledReason: null,
      })
      const again = await put('put', daily)
      expect([again.status, again.body.outcome]).toEqual([200, 'unchanged'])
      const changed = await put('put', { ...daily, payload: { text: 'y' } })
      expect([changed.status, changed.body.outcome]).toEqual([200, 'changed'])
      expect((await stage.api.ask(at('put'))).body).toEqual(changed.body.schedule)
    })

    it('takes every option', async () => {
      const options = { queue: 'night', priority: 2, maxAttempts: 9, tenant: 'acme' }
      const { cron: _, timeZone: __, ...job } = daily
      const rest = { every: '1h30m', misfire: { catchUp: 3 }, overlap: 'skip' }
      const { body } = await put('options', { ...job, ...rest, ...options })
      expect(body.schedule).toMatchObject({
        rule: { everyMs: 5_400_000 },
        misfire: { catchUp: 3 },
        overlap: 'skip',
        job: options,
      })
    })

    it.each([
      [{ cron: undefined }, 'invalid-argument', ['cron']],
      [{ every: '1h' }, 'invalid-argument', ['cron']],
      [{ cron: undefined, every: '1h' }, 'invalid-argument', ['timeZone']],
      [{ cron: '61 * * * *' }, 'invalid-argument', undefined],
      [{ cron: '0 0 30 2 *' }, 'invalid-argument', undefined],
      [{ timeZone: 'Mars/Olympus' }, 'invalid-argument', undefined],
      [{ cron: undefined, timeZone: undefined, every: 'soon' }, 'invalid-argument', undefined],
      [{ cron: undefined, timeZone: undefined, every: 0 }, 'invalid-argument', undefined],
      [{ misfire: 'later' }, 'invalid-argument', ['misfire']],
      [{ misfire: { catchUp: 0 } }, 'invalid-argument', ['misfire', 'catchUp']],
      [{ overlap: 'queue' }, 'invalid-argument', ['overlap']],
      [{ priority: 11 }, 'invalid-argument', ['priority']],
      [{ colour: 'red' }, 'invalid-argument', ['colour']],
      [{ payload: undefined }, 'invalid-argument', ['payload']],
      [{ payload: { text: 7 } }, 'invalid-payload', ['payload', 'text']],
      [{ type: 'NOBODY' }, 'unknown-type', undefined],
    ])('refuses %j', async (change, code, path) => {
      const { status, body } = await put('refused', { ...daily, ...change })
      expect([status, body.code, body.faults[0]?.path]).toEqual([
        code === 'invalid-argument' ? 400 : 422,
        code,
        path,
      ])
      expect((await stage.api.ask(at('refused'))).status).toBe(404)
    })

    it('refuses a name that can not stand in a log', async () => {
      expect(await put('a%20b', daily)).toMatchObject({ status: 400, body: { code: 'invalid-argument' } })
    })
  })

  it('are listed by name', async () => {
    await put('list-b', daily)
    await put('list-a', daily)
    const names = (await stage.api.ask('/api/v1/schedules')).body.schedules.map(each => each.name)
    expect(names.filter(name => name.startsWith('list-'))).toEqual(['list-a', 'list-b'])
  })

  it('are deleted with their history, once', async () => {
    await put('gone', daily)
    expect((await stage.api.ask(at('gone'), { method: 'DELETE' })).status).toBe(204)
    expect(await stage.api.ask(at('gone'), { method: 'DELETE' })).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    })
  })

  it('are paused and resumed, twice like once', async () => {
    await put('steered', daily)
    for (const [action, paused] of [
      ['/pause', true],
      ['/pause', true],
      ['/resume', false],
      ['/resume', false],
    ] as const) {
      const { status, body } = await act('steered', action)
      expect([status, body]).toMatchObject([200, { name: 'steered', paused }])
      expect((await stage.api.ask(at('steered'))).body).toMatchObject({ paused })
    }
  })

  describe('run now', () => {
    it('enqueues the job with its payload and options, also while paused', async () => {
      await put('now', { ...daily, queue: 'night', priority: 1, tenant: 'acme' })
      await act('now', '/pause')
      const { status, body, headers } = await act('now', '/run')
      expect([status, body]).toEqual([201, { id: expect.any(String), duplicate: false }])
      expect(headers.get('location')).toBe(`/api/v1/jobs/${body.id}`)
      expect((await stage.api.ask(`/api/v1/jobs/${body.id}`)).body).toMatchObject({
        payload: { text: 'x' },
        queue: 'night',
        priority: 1,
        tenant: 'acme',
        state: 'queued',
      })
      expect((await stage.api.ask(at('now', '/ticks'))).body.ticks).toEqual([])
    })

    it('is one job for one Idempotency-Key', async () => {
      await put('once', daily)
      await put('twice', daily)
      const key = { 'idempotency-key': 'run-1' }
      const first = await act('once', '/run', key)
      expect(await act('once', '/run', key)).toMatchObject({
        status: 200,
        body: { id: first.body.id, duplicate: true },
      })
      expect(await act('twice', '/run', key)).toMatchObject({
        status: 409,
        body: { code: 'idempotency-conflict' },
      })
      expect((await act('once', '/run', { 'idempotency-key': 'é' })).status).toBe(400)
    })

    it('answers 429 when the queue is full', async () => {
      await put('full', { ...daily, queue: 'full' })
      await stage.api.server.millrace.configureQueue('full', { maxQueued: 0 })
      expect(await act('full', '/run')).toMatchObject({ status: 429, body: { code: 'queue-full' } })
    })
  })

  it('tell what became of their ticks, newest first', async () => {
    const { engine } = stage.api.server.millrace
    const job = {
      type: 'ECHO',
      queue: 'fast',
      tenant: '',
      priority: 5,
      maxAttempts: 3,
      payloadJson: '{"text":"x"}',
    }
    const firstAt = Date.parse('2026-01-01T00:00Z')
    await engine.putSchedule({
      name: 'ticked',
      rule: { everyMs: 3_600_000 },
      misfire: { kind: 'skip' },
      overlap: 'allow',
      job,
      firstAt,
    })
    for (const [hour, outcome] of ['skip', 'coalesce', 'skip'].entries()) {
      const scheduledAt = firstAt + hour * 3_600_000
      const tick = { scheduledAt, expectedNextAt: scheduledAt, nextAt: scheduledAt + 3_600_000, job: null }
      await engine.fireTick({ schedule: 'ticked', ...tick, outcome: outcome as 'skip' | 'coalesce' })
    }
    const { status, body } = await stage.api.ask(at('ticked', '/ticks?limit=2'))
    expect(status).toBe(200)
    expect(body.ticks).toEqual([
      {
        scheduledAt: '2026-01-01T02:00:00.000Z',
        outcome: 'skipped',
        jobId: null,
        recordedAt: expect.any(String),
      },
      {
        scheduledAt: '2026-01-01T01:00:00.000Z',
        outcome: 'coalesced',
        jobId: null,
        recordedAt: expect.any(String),
      },
    ])
    expect((await stage.api.ask(at('ticked'))).body).toMatchObject({ cursorAt: '2026-01-01T02:00:00.000Z' })
  })

  describe('a preview', () => {
    it('of a stored schedule begins with its next tick', async () => {
      const { body: made } = await put('previewed', daily)
      const { body } = await stage.api.ask(at('previewed', '/preview?count=3'))
      expect(body.runs).toHaveLength(3)
      expect(body.runs[0]?.at).toBe(made.schedule.nextAt)
      expect(body.runs.map(each => each.local.slice(11))).toEqual(Array(3).fill('07:00:00'))
    })

    it('of a rule marks what clock changes do', async () => {
      const rule = { cron: '30 2 * * *', timeZone: 'Europe/Paris', count: 2 }
      const runs = async (after: string) =>
        (await stage.api.post('/api/v1/schedules/preview', { ...rule, after })).body.runs
      expect(await runs('2026-03-28T12:00:00Z')).toEqual([
        {
          at: '2026-03-29T01:00:00.000Z',
          local: '2026-03-29T03:00:00',
          offset: '+02:00',
          clockChange: 'gap',
          skipped: '2026-03-29T02:30:00',
        },
        {
          at: '2026-03-30T00:30:00.000Z',
          local: '2026-03-30T02:30:00',
          offset: '+02:00',
          clockChange: null,
          skipped: null,
        },
      ])
      expect((await runs('2026-10-24T12:00:00Z'))[0]).toMatchObject({
        local: '2026-10-25T02:30:00',
        clockChange: 'overlap',
      })
    })

    it('of an interval is told in UTC', async () => {
      const { body } = await stage.api.post('/api/v1/schedules/preview', { every: '1h', after: 0, count: 1 })
      expect(body.runs).toMatchObject([{ at: '1970-01-01T01:00:00.000Z', offset: '+00:00' }])
    })

    it.each([
      {},
      { cron: 'nonsense' },
      { cron: '* * * * *', timeZone: 'Nowhere' },
      { cron: '* * * * *', count: 0 },
      { cron: '* * * * *', count: 101 },
      { cron: '* * * * *', after: 8.64e15 },
      { every: '1h', timeZone: 'UTC' },
      { every: -1 },
    ])('refuses %j', async body => {
      const answer = await stage.api.post('/api/v1/schedules/preview', body)
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid-argument'])
    })
  })
})
