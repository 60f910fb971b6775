import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  createMillrace,
  createWorker,
  defineJob,
  handle,
  type Millrace,
  openEngine,
} from '../../src/index.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { connect, createStore } from './database.ts'

const anything = z.unknown()
const mail = defineJob({ type: 'mail', payload: anything, result: anything })
const strict = defineJob({ type: 'strict', payload: z.object({ to: z.string() }), maxAttempts: 1 })

let server: PostgresServer
let url: string
let client: pg.Client
let millrace: Millrace

beforeAll(async () => {
  server = await startPostgres()
  url = await createStore(server, 'app')
})
afterAll(() => server.stop('immediate'))
beforeEach(async () => {
  client = await connect(url)
  millrace = createMillrace({ engine: openEngine(url), jobs: [mail, strict] })
  await millrace.open()
})
afterEach(async () => {
  await client.end()
  await millrace.close()
})

async function enqueue(type: string, payload: string | null, options: object = {}): Promise<string> {
  const { rows } = await client.query<{ id: string }>('SELECT millrace.enqueue($1, $2, $3) AS id', [
    type,
    payload,
    JSON.stringify(options),
  ])
  return rows[0]?.id as string
}

async function ask(sql: string, ...values: unknown[]): Promise<unknown> {
  const { rows } = await client.query<{ answer: unknown }>(`SELECT ${sql} AS answer`, values)
  return rows[0]?.answer
}

async function view(id: string): Promise<Record<string, unknown>> {
  const { rows } = await client.query<Record<string, unknown>>('SELECT * FROM millrace.jobs WHERE id = $1', [
    id,
  ])
  return rows[0] as Record<string, unknown>
}

const freshKey = (): string => `key ${Math.random()}`

describe('enqueue in SQL', () => {
  it('has the defaults of a definition', async () => {
    const id = await enqueue('mail', '{"to": "Ann"}')
    expect(await millrace.get(id)).toMatchObject({
      state: 'queued',
      type: 'mail',
      queue: 'default',
      priority: 5,
      maxAttempts: 3,
      attempt: 0,
      tenant: '',
      payload: { to: 'Ann' },
    })
  })

  it('makes ids as the library does, in the order of time', async () => {
    const ids = [millrace.newId(), await enqueue('mail', '1'), await enqueue('mail', '2')]
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(ids).toEqual([...ids].sort())
  })

  it('takes every option', async () => {
    const id = await enqueue('new.type', '[]', {
      queue: 'new:queue',
      priority: 1,
      maxAttempts: 7,
      runAt: '2030-01-31T09:00:00+02:00',
      tenant: 'acme',
      idempotencyKey: freshKey(),
    })
    expect(await millrace.engine.get([id])).toMatchObject([
      { type: 'new.type', queue: 'new:queue', priority: 1, maxAttempts: 7, tenant: 'acme' },
    ])
    expect((await view(id))['run_at']).toEqual(new Date('2030-01-31T07:00:00Z'))
    const byMs = await enqueue('mail', '{}', { runAt: Date.UTC(2031, 0, 1), queue: null })
    expect((await view(byMs))['run_at']).toEqual(new Date('2031-01-01T00:00:00Z'))
    const later = await view(await enqueue('mail', '{}', { delayMs: 90_000 }))
    expect(Number(later['run_at']) - Number(later['created_at'])).toBe(90_000)
  })

  it('takes attributes, by which the job is found', async () => {
    const attributes = { site: 's7', pages: 12, paid: true, gone: null }
    const id = await enqueue('mail', '{}', { attributes })
    await enqueue('mail', '{}', { attributes: {} })
    expect((await millrace.get(id))?.attributes).toEqual({ site: 's7', pages: '12', paid: 'true' })
    const { jobs } = await millrace.list({ attributes: { site: 's7', pages: '12' } })
    expect(jobs.map(job => job.id)).toEqual([id])
    const key = freshKey()
    const first = await enqueue('mail', '{}', { idempotencyKey: key, attributes: { site: 's8' } })
    expect(await enqueue('mail', '{}', { idempotencyKey: key, attributes: { site: 's9' } })).toBe(first)
    expect((await millrace.list({ attributes: { site: 's9' } })).jobs).toEqual([])
  })

  it.each<[string, unknown]>([
    ['text', 'site'],
    ['an array', ['site']],
    ['a name that is none', { 'the site': 'x' }],
    ['a value that is no text', { site: ['x'] }],
    ['a value that is too long', { site: 'x'.repeat(201) }],
    ['seventeen', Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`a${n}`, 'x']))],
  ])('refuses attributes that are %s', async (_what, attributes) => {
    await expect(enqueue('mail', '{}', { attributes })).rejects.toMatchObject({ code: '22023' })
  })

  it('wakes a worker, which runs jobs of one transaction in their order', async () => {
    const seen: unknown[] = []
    const order = defineJob({ type: 'order', payload: z.number(), result: z.number() })
    const own = createMillrace({ engine: openEngine(url), jobs: [order] })
    const worker = createWorker(own, [handle(order, async ({ payload }) => (seen.push(payload), payload))], {
      pollMs: 600_000,
      concurrency: 1,
    })
    await worker.start()
    await client.query('BEGIN')
    const numbers = Array.from({ length: 20 }, (_, n) => n)
    const ids: string[] = []
    for (const n of numbers) ids.push(await enqueue('order', `${n}`))
    await client.query('COMMIT')
    for (const id of ids) await own.result(id, { timeoutMs: 30_000 })
    expect(seen).toEqual(numbers)
    await worker.stop()
    await own.close()
  })

  it('is checked again by the worker', async () => {
    const id = await enqueue('strict', '{"to": 5}')
    const worker = createWorker(millrace, [handle(strict, async () => null)])
    await worker.start()
    await expect(millrace.result(id, { timeoutMs: 30_000 })).rejects.toMatchObject({ code: 'job-dead' })
    expect((await view(id))['error']).toMatchObject({ message: expect.stringContaining('to') })
    await worker.stop()
  })

  it('refuses a bounded queue that is full', async () => {
    await millrace.engine.configureQueue('small', { maxQueued: 1 })
    await enqueue('mail', '{}', { queue: 'small' })
    await expect(enqueue('mail', '{}', { queue: 'small' })).rejects.toMatchObject({
      code: 'MR002',
      message: expect.stringContaining('small holds 1 jobs'),
    })
  })

  it.each([
    ['an unknown option', { color: 1 }, /"color" is not an option/],
    ['a priority of 0', { priority: 0 }, /priority must be .* from 1 to 10, not 0/],
    ['a priority of 11', { priority: 11 }, /priority/],
    ['half a priority', { priority: 1.5 }, /priority/],
    ['a priority in text', { priority: '1' }, /priority/],
    ['no attempt', { maxAttempts: 0 }, /maxAttempts/],
    ['a negative delay', { delayMs: -1 }, /delayMs/],
    ['a delay of centuries', { delayMs: 1e16 }, /delayMs/],
    ['a time that is none', { runAt: 'soon' }, /runAt must be an instant/],
    ['the end of time', { runAt: 'infinity' }, /runAt/],
    ['a time beyond a Date', { runAt: 9e15 }, /runAt/],
    ['a time that is an object', { runAt: {} }, /runAt/],
    ['a queue with a space', { queue: 'a b' }, /queue "a b" is not a usable name/],
    ['an empty queue', { queue: '' }, /queue/],
    ['an empty key', { idempotencyKey: '' }, /idempotencyKey/],
    ['a long key', { idempotencyKey: 'k'.repeat(501) }, /idempotencyKey/],
    ['a numeric tenant', { tenant: 7 }, /tenant/],
    ['options in a list', [1], /options must be a JSON object/],
  ])('refuses %s, with a hint', async (_what, options, says) => {
    const refusal = await enqueue('mail', '{}', options).catch((error: pg.DatabaseError) => error)
    expect(refusal).toMatchObject({ code: '22023', hint: expect.stringMatching(/./) })
    expect((refusal as Error).message).toMatch(says)
  })

  it.each([
    ['no payload', null, '22023', /payload is NULL/],
    ['a NUL', '{"a":"x\\u0000y"}', '22023', /NUL/],
    ['a NUL in a name', '{"\\u0000":1}', '22023', /NUL/],
    ['half a surrogate pair', '"\\ud83d"', '22P02', /json/],
    ['a __proto__ key', '{"a":[{"\\u005f_proto__":1}]}', '22023', /__proto__/],
    ['digits that a double loses', '{"id":9007199254740993}', '22023', /2\^53/],
    ['a number beyond all', '[1e400]', '22023', /larger than a number can be/],
    ['two hundred and two levels', `${'['.repeat(202)}${']'.repeat(202)}`, '22023', /200 levels/],
    ['more than 1 MiB', JSON.stringify('x'.repeat(2 ** 20)), '54000', /more than 1048576/],
  ])('refuses a payload with %s', async (_what, payload, code, says) => {
    await expect(enqueue('mail', payload)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(says),
    })
  })

  it.each([
    ['1 MiB', JSON.stringify('x'.repeat(2 ** 20 - 2))],
    ['two hundred and one levels', `${'['.repeat(201)}${']'.repeat(201)}`],
    ['a backslash before u0000', '"\\\\u0000"'],
  ])('takes a payload of %s', async (_what, payload) => {
    const id = await enqueue('mail', payload)
    expect(JSON.stringify((await millrace.get(id))?.payload)).toBe(payload)
  })

  it.each(['', ' mail', 'a b', 'x'.repeat(129), 'é', '-a'])('refuses the type %j', async type => {
    await expect(enqueue(type, '{}')).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining('type'),
    })
  })

  it('in a trigger enqueues what is committed', async () => {
    await client.query(`
      CREATE TABLE users (id int4 PRIMARY KEY, email text NOT NULL);
      CREATE FUNCTION welcome() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM millrace.enqueue('mail', json_build_object('to', NEW.email),
          jsonb_build_object('idempotencyKey', 'welcome ' || NEW.id));
        RETURN NEW;
      END $$;
      CREATE TRIGGER welcome AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION welcome()`)
    await client.query(`BEGIN; INSERT INTO users VALUES (1, 'lost@example.com'); ROLLBACK`)
    await client.query(
      `INSERT INTO users SELECT n, 'user' || n || '@example.com' FROM generate_series(2, 40) AS n`,
    )
    const { rows } = await client.query<{ to: string }>(
      `SELECT payload ->> 'to' AS to FROM millrace.jobs WHERE idempotency_key LIKE 'welcome %' ORDER BY id`,
    )
    expect(rows.map(row => row.to)).toEqual(Array.from({ length: 39 }, (_, n) => `user${n + 2}@example.com`))
  })
})

describe('an idempotency key', () => {
  it('answers the earlier job, from SQL and from TypeScript', async () => {
    const idempotencyKey = freshKey()
    const id = await enqueue('mail', '{ "b": [1.0, 1e3], "a": "\\u00e9" }', { idempotencyKey })
    expect(await enqueue('mail', '{"a":"é","b":[1,1000]}', { idempotencyKey })).toBe(id)
    const again = await millrace.enqueue(mail, { b: [1, 1_000], a: 'é' }, { idempotencyKey })
    expect(again).toEqual({ id, duplicate: true })
  })

  it('is a conflict with another payload or type, and the tenant’s own', async () => {
    const idempotencyKey = freshKey()
    const id = await enqueue('mail', '{"a":1}', { idempotencyKey })
    const conflict = { code: 'MR001', message: expect.stringContaining(id) }
    await expect(enqueue('mail', '{"a":2}', { idempotencyKey })).rejects.toMatchObject(conflict)
    await expect(enqueue('other', '{"a":1}', { idempotencyKey })).rejects.toMatchObject(conflict)
    expect(await enqueue('mail', '{"a":1}', { idempotencyKey, tenant: 'acme' })).not.toBe(id)
  })
})

describe('a job by SQL', () => {
  it('is cancelled, and retried', async () => {
    const id = await enqueue('mail', '{}', { delayMs: 3_600_000 })
    expect(await ask('millrace.retry($1)', id)).toBe('not-finished')
    expect(await ask(`millrace.cancel($1, 'changed my mind')`, id)).toBe('cancelled')
    expect(await view(id)).toMatchObject({ state: 'cancelled', cancel_reason: 'changed my mind' })
    expect(await ask('millrace.cancel($1)', id)).toBe('already-finished')
    expect(await ask('millrace.retry($1)', id)).toBe('redriven')
    expect(await view(id)).toMatchObject({ state: 'queued', finished_at: null, cancel_reason: null })
    expect(await ask('millrace.cancel($1)', id)).toBe('cancelled')
    expect(await view(id)).toMatchObject({ cancel_reason: 'cancelled' })
    for (const verb of ['cancel', 'retry'])
      expect(await ask(`millrace.${verb}('01900000-0000-7000-8000-000000000000')`)).toBe('not-found')
  })

  it('that runs is told to stop, and shown running', async () => {
    let began: () => void = () => {}
    const started = new Promise<void>(resolve => (began = resolve))
    const slow = defineJob({ type: 'slow', payload: anything })
    const own = createMillrace({ engine: openEngine(url), jobs: [slow] })
    const run = handle(slow, async ({ signal }) => {
      began()
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      signal.throwIfAborted()
    })
    const worker = createWorker(own, [run], { pollMs: 600_000, label: 'worker of the test' })
    await worker.start()
    const id = await enqueue('slow', '{}')
    await started
    expect(await view(id)).toMatchObject({
      state: 'running',
      attempt: 1,
      worker: 'worker of the test',
      started_at: expect.any(Date),
      finished_at: null,
    })
    expect(await ask(`millrace.cancel($1, 'stop')`, id)).toBe('requested')
    await expect(own.result(id, { timeoutMs: 30_000 })).rejects.toMatchObject({ code: 'job-cancelled' })
    expect(await view(id)).toMatchObject({ state: 'cancelled', cancel_reason: 'stop', attempt: 1 })
    await worker.stop()
    await own.close()
  })

  it('shows its result', async () => {
    const worker = createWorker(millrace, [handle(mail, async ({ payload }) => ({ sent: payload }))])
    await worker.start()
    const id = await enqueue('mail', '{"to": "Ann"}', { tenant: 'acme' })
    await millrace.result(id, { timeoutMs: 30_000 })
    const { created_at, run_at, started_at, finished_at, ...rest } = await view(id)
    expect(rest).toMatchObject({
      state: 'completed',
      tenant: 'acme',
      attempt: 1,
      payload: { to: 'Ann' },
      result: { sent: { to: 'Ann' } },
      error: null,
    })
    for (const at of [created_at, run_at, started_at, finished_at]) expect(at).toBeInstanceOf(Date)
    await worker.stop()
  })
})
