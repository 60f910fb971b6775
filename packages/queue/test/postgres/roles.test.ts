import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  createMillrace,
  createWorker,
  defineJob,
  handle,
  type Millrace,
  openEngine,
} from '../../src/index.ts'
import type { ClaimedJob } from '../../src/engine/contract.ts'
import type { NewFlow, NewNode } from '../../src/engine/flow.ts'
import { aJob } from '../conformance/samples.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { connect } from './database.ts'

const schema = `It's "mine"`
const script = fileURLToPath(new URL('../../sql/postgres-roles.sql', import.meta.url))
const roles = { worker: 'Web worker', enqueuer: 'web', reader: 'reports' }
const mail = defineJob({
  type: 'mail',
  payload: z.object({ to: z.string() }),
  result: z.string(),
  searchAttributes: { to: payload => payload.to },
})
const denied = { code: '42501' }

let server: PostgresServer

/** An URL for one who logs in with that role. The schema's owner is `owner`. */
function urlOf(user: string): string {
  return server.url('app', { schema }).replace('//postgres@', `//${user}@`)
}

function millraceOf(user: string): Millrace {
  return createMillrace({ engine: openEngine(urlOf(user)), jobs: [mail] })
}

function runScript(): void {
  const variables = Object.entries({ schema, ...roles }).flatMap(each => ['-v', each.join('=')])
  const url = server.url('app').replace('//postgres@', '//owner@')
  execFileSync('psql', [url, '-X', '-q', ...variables, '-f', script], { stdio: 'pipe' })
}

async function asked<T>(user: string, act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(urlOf(user).replace(/\?.*/, ''))
  try {
    await client.query(`SET search_path = "${schema.replaceAll('"', '""')}"`)
    return await act(client)
  } finally {
    await client.end()
  }
}

/** Two jobs that nobody works on, one after the other. */
function aFlow(millrace: Millrace): NewFlow {
  const [first, second] = ['first', 'second'].map(name => ({
    name,
    job: aJob({ id: millrace.newId(), type: 'idle', attributes: { of: name } }),
    after: [] as string[],
    onFailure: 'fail' as const,
  })) as [NewNode, NewNode]
  second.after.push(first.job.id)
  return { id: millrace.newId(), name: 'two', tenant: '', idempotency: null, nodes: [first, second] }
}

/** Everything that a worker does to flows, steps and signals. */
async function flowsOf(millrace: Millrace): Promise<void> {
  const { engine } = millrace
  const flow = aFlow(millrace)
  await engine.enqueueFlow(flow)
  const lanes = [{ queue: 'default', types: ['idle'] }]
  const claim = async (): Promise<ClaimedJob> =>
    (await engine.claim({ worker: 'of the test', lanes, limit: 1, leaseMs: 30_000 })).jobs[0] as ClaimedJob
  const lease = await claim()
  const more = { ...(aFlow(millrace).nodes[0] as NewNode), name: 'more' }
  expect(await engine.extendFlow('of the test', lease, [more])).toMatchObject({ outcome: 'enqueued' })
  const step = { name: 'nap', ordinal: 1, kind: 'signal' as const, signal: 'go' }
  const outcome = { kind: 'wait' as const, wait: { step, inMs: null, until: null } }
  expect(await engine.settle('of the test', [{ lease, outcome, ranMs: 1 }])).toEqual(['settled'])
  expect(await engine.signal({ id: millrace.newId(), jobId: lease.id, name: 'go', payloadJson: '1' })).toBe(
    'delivered',
  )
  expect(await engine.cancelFlow(flow.id, 'enough')).toBe('cancelled')
  expect(await engine.redriveFlow(flow.id)).toBe('redriven')
  expect(await engine.cancelFlow(flow.id, 'enough')).toBe('cancelled')
  await engine.retire('of the test')
}

beforeAll(async () => {
  server = await startPostgres()
  await server.createDatabase('app')
  const admin = await connect(server.url('app'))
  await admin.query('CREATE ROLE owner LOGIN CREATEROLE')
  await admin.query('GRANT CREATE ON DATABASE app TO owner')
  const owner = millraceOf('owner')
  await owner.open()
  await owner.close()
  runScript()
  for (const [login, role] of Object.entries(roles)) {
    await admin.query(`CREATE ROLE ${login} LOGIN IN ROLE "${role}"`)
  }
  await admin.end()
})
afterAll(() => server.stop('immediate'))

describe('the roles script', () => {
  it('can be run again', () => {
    expect(runScript).not.toThrow()
  })

  it('lets the worker do its whole work', async () => {
    const millrace = millraceOf('worker')
    const worker = createWorker(millrace, [
      handle(mail, async ({ payload, log }) => {
        log.info('sending')
        if (payload.to === 'nobody') throw new Error('no address')
        return payload.to
      }),
    ])
    await worker.start()
    const { id } = await millrace.enqueue(mail, { to: 'Ann' }, { idempotencyKey: 'k' })
    expect(await millrace.result(id, { timeoutMs: 30_000 })).toBe('Ann')
    const failing = await millrace.enqueue(mail, { to: 'nobody' }, { maxAttempts: 1 })
    await expect(millrace.result(failing.id, { timeoutMs: 30_000 })).rejects.toMatchObject({
      code: 'job-dead',
    })
    const later = await millrace.enqueue(mail, { to: 'Bob' }, { delay: '1h' })
    expect(await millrace.engine.reschedule([{ id: later.id, priority: 1 }])).toEqual(['changed'])
    expect(await millrace.cancel(later.id)).toBe('cancelled')
    expect(await millrace.retry(id)).toBe('redriven')
    await millrace.result(id, { timeoutMs: 30_000 })
    await flowsOf(millrace)
    const stop = new AbortController()
    const follower = millrace.feed.follow({ signal: stop.signal, events: ['enqueued'] })
    await follower.started
    await millrace.enqueue(mail, { to: 'Eve' })
    expect((await follower.next()).value).toMatchObject({ event: 'enqueued' })
    stop.abort()
    await millrace.audit.record({ principal: 'ada', role: 'admin', action: 'test', target: 'all' })
    expect((await millrace.audit.list()).entries).toHaveLength(1)
    await millrace.series({ from: Date.now() - 60_000, until: Date.now(), stepMs: 60_000 })
    await millrace.engine.rescue({ maxDeaths: 3, limit: 100 })
    expect(await millrace.engine.prune({ rules: [], limit: 10 })).toMatchObject({ removed: 0 })
    expect(await millrace.engine.remove([id])).toEqual(['removed'])
    await worker.stop()
    await millrace.close()
  })

  it('lets the worker make partitions, and nothing else', async () => {
    await asked('worker', async client => {
      const made = await client.query('SELECT make_weeks($1, 1) AS made', [Date.UTC(2040, 0, 10)])
      expect(made.rows).toEqual([{ made: 2 }])
      await expect(client.query(`CREATE TABLE mine (n int4)`)).rejects.toMatchObject(denied)
      await expect(client.query('DROP TABLE job_20400109')).rejects.toMatchObject(denied)
      await expect(client.query('TRUNCATE job')).rejects.toMatchObject(denied)
      await expect(client.query('DELETE FROM migration')).rejects.toMatchObject(denied)
    })
  })

  it('lets the enqueuer enqueue by the library, alone and in a transaction', async () => {
    const millrace = millraceOf('enqueuer')
    await millrace.enqueue(mail, { to: 'Ann' })
    await millrace.enqueue(mail, { to: 'Bob' }, { idempotencyKey: 'by library', queue: 'new', priority: 2 })
    await asked('enqueuer', async tx => {
      await tx.query('BEGIN')
      await millrace.enqueue(mail, { to: 'Zoë' }, { tx, delay: '1h' })
      expect(await millrace.engine.enqueueFlow(aFlow(millrace), { tx })).toMatchObject({
        outcome: 'enqueued',
      })
      await tx.query('COMMIT')
    })
    expect(await millrace.engine.enqueueFlow(aFlow(millrace))).toMatchObject({ outcome: 'enqueued' })
    await millrace.engine.appendFeed(millrace.newId(), [])
    await millrace.engine.watchFeed(60_000)
    expect(await millrace.engine.feedWatched()).toBeGreaterThan(0)
    await millrace.audit.record({ principal: 'web', role: 'app', action: 'test', target: 'all' })
    const troubles: unknown[] = []
    millrace.on('trouble', trouble => troubles.push(trouble))
    await millrace.enqueue(mail, { to: 'Cyd' })
    await millrace.close()
    expect(troubles).toEqual([])
  })

  it('lets the enqueuer enqueue by SQL', async () => {
    await asked('enqueuer', async client => {
      const sql = `SELECT enqueue('sql-only', '{"to":"Ann"}', '{"idempotencyKey":"by SQL","queue":"newer","priority":9,"attributes":{"to":"Ann"}}') AS id`
      const first = await client.query<{ id: string }>(sql)
      expect((await client.query<{ id: string }>(sql)).rows).toEqual(first.rows)
    })
  })

  it('lets the enqueuer do nothing else', async () => {
    const millrace = millraceOf('enqueuer')
    const { id } = await millrace.enqueue(mail, { to: 'Ann' })
    const refused = { code: 'unavailable', message: expect.stringContaining('lacks a right') }
    const { engine } = millrace
    await expect(millrace.cancel(id)).rejects.toMatchObject(refused)
    await expect(millrace.retry(id)).rejects.toMatchObject(refused)
    await expect(millrace.get(id)).rejects.toMatchObject(refused)
    const lanes = [{ queue: 'default', types: ['mail'] }]
    await expect(engine.claim({ worker: 'w', lanes, limit: 1, leaseMs: 30_000 })).rejects.toMatchObject(
      refused,
    )
    await millrace.close()
    await asked('enqueuer', async client => {
      for (const sql of [
        `SELECT cancel('${id}')`,
        `SELECT retry('${id}')`,
        'SELECT FROM jobs',
        'SELECT FROM job',
        `INSERT INTO ready VALUES (1, 1, 11, '{${id}}')`,
        'UPDATE meta SET folded_to = 0',
        `SELECT keep_attributes('{${id}}', '{"1":{"site":"s1"}}')`,
        'SELECT FROM attribute',
        'SELECT make_weeks(0, 1)',
        'SELECT fold()',
        `DELETE FROM kind`,
      ])
        await expect(client.query(sql), sql).rejects.toMatchObject(denied)
    })
  })

  it('lets the reader see everything and change nothing', async () => {
    const millrace = millraceOf('reader')
    await millrace.open()
    const { jobs } = await millrace.engine.list({}, { limit: 10 })
    const id = jobs[0]?.id as string
    expect(await millrace.get(id)).toMatchObject({ id })
    expect((await millrace.stats()).total.ready).toBeGreaterThan(0)
    await millrace.engine.attempts(id)
    await millrace.engine.logs(id)
    await millrace.engine.queues()
    await millrace.engine.workers()
    const { flows } = await millrace.engine.flows({}, { limit: 1 })
    expect((await millrace.engine.flowNodes(flows[0]?.id as string, { limit: 10 })).nodes).toHaveLength(2)
    await millrace.engine.dependencies(id)
    await millrace.engine.steps(id)
    await millrace.engine.signals(id)
    expect((await millrace.feed.read({ limit: 10 })).gap).toBe(false)
    expect((await millrace.audit.list()).entries.length).toBeGreaterThan(0)
    const refused = { code: 'unavailable', message: expect.stringContaining('lacks a right') }
    await expect(millrace.enqueue(mail, { to: 'Ann' })).rejects.toMatchObject(refused)
    await expect(millrace.cancel(id)).rejects.toMatchObject(refused)
    await expect(
      millrace.audit.record({ principal: 'me', role: 'reader', action: 'test', target: 'all' }),
    ).rejects.toMatchObject(refused)
    await millrace.close()
    await asked('reader', async client => {
      expect((await client.query('SELECT * FROM jobs WHERE id = $1', [id])).rowCount).toBe(1)
      for (const sql of [
        `SELECT enqueue('mail', '{}')`,
        `SELECT cancel('${id}')`,
        `SELECT retry('${id}')`,
        'DELETE FROM job',
        'SELECT make_weeks(0, 1)',
      ])
        await expect(client.query(sql), sql).rejects.toMatchObject(denied)
    })
  })

  it('gives those who have no role nothing', async () => {
    const admin = await connect(server.url('app'))
    await admin.query('CREATE ROLE stranger LOGIN')
    await admin.end()
    await asked('stranger', async client => {
      await expect(client.query(`SELECT "It's ""mine""".enqueue('mail', '{}')`)).rejects.toMatchObject(denied)
      await expect(client.query(`SELECT FROM "It's ""mine""".jobs`)).rejects.toMatchObject(denied)
    })
  })
})
