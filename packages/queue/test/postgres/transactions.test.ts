import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  createMillrace,
  createWorker,
  defineJob,
  handle,
  type Millrace,
  openEngine,
} from '../../src/index.ts'
import type { NewJob } from '../../src/engine/contract.ts'
import type { NewFlow } from '../../src/engine/flow.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { connect, createStore } from './database.ts'
import { libraries, type Library } from './libraries.ts'

const mail = defineJob({ type: 'mail', payload: z.object({ to: z.string() }), result: z.string() })
const notes =
  'CREATE TABLE public.notes (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL)'
const invalid = { code: 'invalid-argument' }

let server: PostgresServer
let url: string
let admin: pg.Client
let millrace: Millrace

beforeAll(async () => {
  server = await startPostgres()
  url = await createStore(server, 'app')
  admin = await connect(url)
  await admin.query(notes)
})
afterAll(async () => {
  await admin.end()
  await server.stop('immediate')
})
beforeEach(async () => {
  millrace = createMillrace({ engine: openEngine(url), jobs: [mail] })
  await millrace.open()
  await admin.query('TRUNCATE public.notes')
  return () => millrace.close()
})

async function written(): Promise<string[]> {
  const { rows } = await admin.query<{ note: string }>('SELECT note FROM public.notes ORDER BY id')
  return rows.map(row => row.note)
}

describe.each(libraries)('a transaction of $name', ({ open }) => {
  let library: Library

  beforeAll(async () => {
    library = await open(url)
    return () => library.close()
  })

  it('makes the job visible and wakes a worker when it commits', async () => {
    // Within the time of a test, it does not look again by itself.
    const worker = createWorker(millrace, [handle(mail, async ({ payload }) => payload.to)], {
      pollMs: 600_000,
    })
    const app = createMillrace({ engine: openEngine(url), jobs: [mail] })
    await worker.start()
    let id = ''
    await library.transact(async ({ tx, write }) => {
      ;({ id } = await app.enqueue(mail, { to: 'Zoë "\\" 😀' }, { tx }))
      await write('order 1')
      expect(await millrace.get(id)).toBeNull()
    })
    expect(await written()).toEqual(['order 1'])
    expect(await millrace.result(id, { timeoutMs: 30_000 })).toBe('Zoë "\\" 😀')
    await app.close()
    await worker.stop()
  })

  it('leaves nothing when it rolls back, and the idempotency key goes along', async () => {
    const key = `${Math.random()}`
    let id = ''
    const rolledBack = library.transact(async ({ tx, write }) => {
      ;({ id } = await millrace.enqueue(mail, { to: 'Ann' }, { tx, idempotencyKey: key }))
      await write('order 2')
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    expect(await millrace.get(id)).toBeNull()
    expect(await written()).toEqual([])
    const after = await millrace.enqueue(mail, { to: 'Ann' }, { idempotencyKey: key })
    expect(after.duplicate).toBe(false)
  })

  it('keeps the idempotency key when it commits, and finds it inside', async () => {
    const idempotencyKey = `it's "${Math.random()}" {a,b\\}`
    const ids: string[] = []
    await library.transact(async ({ tx }) => {
      for (let round = 0; round < 2; round++) {
        const answer = await millrace.enqueue(mail, { to: 'Bob' }, { tx, idempotencyKey, tenant: 'a, "b"' })
        expect(answer.duplicate).toBe(round === 1)
        ids.push(answer.id)
      }
      const other = millrace.enqueue(mail, { to: 'Eve' }, { tx, idempotencyKey, tenant: 'a, "b"' })
      await expect(other).rejects.toMatchObject({ code: 'idempotency-conflict' })
    })
    expect(ids[1]).toBe(ids[0])
    const again = await millrace.enqueue(mail, { to: 'Bob' }, { idempotencyKey, tenant: 'a, "b"' })
    expect(again).toEqual({ id: ids[0], duplicate: true })
    expect(await millrace.get(ids[0] as string)).toMatchObject({ tenant: 'a, "b"', payload: { to: 'Bob' } })
  })

  it('takes many jobs of all sorts in one call', async () => {
    const jobs = sorts(300)
    await library.transact(async ({ tx }) => {
      const answers = await millrace.engine.enqueue(jobs, { tx })
      expect(answers.every(answer => answer.outcome === 'enqueued')).toBe(true)
    })
    const found = await millrace.engine.get(jobs.map(job => job.id))
    expect(found.map(job => [job?.payloadJson, job?.priority, job?.queue, job?.tenant])).toEqual(
      jobs.map(job => [job.payloadJson, job.priority, job.queue, job.tenant]),
    )
  })

  it('takes a flow, whole or not at all', async () => {
    const names = ['crawl', `it's "analyze" {a,b\\}`, 'fix']
    const flow = (): NewFlow => {
      const jobs = sorts(3)
      return {
        id: millrace.newId(),
        name: 'a "site", whole',
        tenant: 'a, "b"',
        idempotency: { key: `{flow,"${Math.random()}"}`, bodyHash: 'h' },
        nodes: jobs.map((job, n) => ({
          name: names[n] as string,
          job: { ...job, idempotency: null },
          after: jobs.slice(0, n).map(each => each.id),
          onFailure: 'skip',
        })),
      }
    }
    const [kept, lost] = [flow(), flow()]
    await library.transact(async ({ tx }) => {
      expect(await millrace.engine.enqueueFlow(kept, { tx })).toEqual({ outcome: 'enqueued', id: kept.id })
      const again = await millrace.engine.enqueueFlow({ ...kept, id: millrace.newId() }, { tx })
      expect(again).toEqual({ outcome: 'duplicate', id: kept.id })
    })
    const rolledBack = library.transact(async ({ tx }) => {
      await millrace.engine.enqueueFlow(lost, { tx })
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    expect(await millrace.engine.flow(lost.id)).toBeNull()
    expect(await millrace.engine.flow(kept.id)).toMatchObject({
      name: kept.name,
      tenant: kept.tenant,
      total: 3,
    })
    const { nodes } = await millrace.engine.flowNodes(kept.id, { limit: 10 })
    expect(nodes.map(({ name, after, waits }) => ({ name, after, waits }))).toEqual(
      kept.nodes.map(({ name, after }) => ({ name, after, waits: after.length })),
    )
    const found = await millrace.engine.get(kept.nodes.map(({ job }) => job.id))
    expect(found.map(job => job?.payloadJson)).toEqual(kept.nodes.map(({ job }) => job.payloadJson))
  })

  it('goes on when enqueueing was refused for its own reasons', async () => {
    await library.transact(async ({ tx, write }) => {
      const bad = millrace.enqueue(mail, { to: 'Ann' }, { tx, priority: 11 })
      await expect(bad).rejects.toMatchObject(invalid)
      await write('order 3')
    })
    expect(await written()).toEqual(['order 3'])
  })

  it('on a database without the schema is refused, and goes on', async () => {
    const elsewhere = await openElsewhere('bare', async name => {
      await server.createDatabase(name)
      return server.url(name)
    })
    await elsewhere.transact(async ({ tx, write }) => {
      const enqueued = millrace.enqueue(mail, { to: 'Ann' }, { tx })
      await expect(enqueued).rejects.toMatchObject({
        ...invalid,
        message: expect.stringContaining('without the schema millrace'),
      })
      await write('order 4')
    })
    await elsewhere.close()
    expect(await written()).toEqual([])
  })

  it('on another store is refused, and stores nothing there', async () => {
    let there = ''
    const elsewhere = await openElsewhere('other', async name => (there = await createStore(server, name)))
    await elsewhere.transact(async ({ tx }) => {
      const enqueued = millrace.enqueue(mail, { to: 'Ann' }, { tx })
      await expect(enqueued).rejects.toMatchObject({
        ...invalid,
        message: expect.stringContaining('another store'),
      })
    })
    await elsewhere.close()
    const client = await connect(there)
    expect((await client.query('SELECT FROM millrace.job')).rowCount).toBe(0)
    await client.end()
  })

  async function openElsewhere(prefix: string, create: (name: string) => Promise<string>): Promise<Library> {
    const there = await create(`${prefix}_${Math.random().toString(36).slice(2)}`)
    const client = await connect(there)
    await client.query(notes)
    await client.end()
    return open(there)
  }

  it('that has failed before is refused with the way to mend it', async () => {
    const failed = library.transact(async ({ tx, write }) => {
      await expect(write(null as unknown as string)).rejects.toThrow()
      const enqueued = millrace.enqueue(mail, { to: 'Ann' }, { tx })
      await expect(enqueued).rejects.toMatchObject({
        ...invalid,
        message: expect.stringMatching(/has failed before: (roll it back|run ROLLBACK)/),
      })
      throw new Error('rolled back')
    })
    await expect(failed).rejects.toThrow()
  })

  it('is told from what looks like one', async () => {
    for (const { what, tx, says } of library.mistakes) {
      const enqueued = millrace.enqueue(mail, { to: 'Ann' }, { tx })
      await expect(enqueued, what).rejects.toMatchObject({ ...invalid, message: expect.stringMatching(says) })
    }
  })
})

describe('a client of pg', () => {
  it('without an open transaction is refused', async () => {
    await expect(millrace.enqueue(mail, { to: 'Ann' }, { tx: admin })).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining('BEGIN'),
    })
  })

  it('that can not tell its state is asked', async () => {
    const client = await connect(url)
    Object.defineProperty(client, 'getTransactionStatus', { value: undefined })
    const attempt = (): Promise<unknown> => millrace.enqueue(mail, { to: 'Ann' }, { tx: client })
    await expect(attempt()).rejects.toMatchObject({ ...invalid, message: expect.stringContaining('BEGIN') })
    await client.query('BEGIN')
    await expect(attempt()).resolves.toMatchObject({ duplicate: false })
    await expect(client.query('nonsense')).rejects.toThrow()
    await expect(attempt()).rejects.toMatchObject({ ...invalid, message: expect.stringContaining('failed') })
    await client.end()
  })

  it('whose user lacks the rights is refused, and its transaction goes on', async () => {
    await admin.query('CREATE ROLE stranger LOGIN')
    const client = await connect(url.replace('//postgres@', '//stranger@'))
    const { rows } = await client.query<{ user: string }>('SELECT current_user AS user')
    expect(rows).toEqual([{ user: 'stranger' }])
    await client.query('BEGIN')
    await expect(millrace.enqueue(mail, { to: 'Ann' }, { tx: client })).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining('may not use the schema'),
    })
    await client.query('SELECT 1')
    await client.end()
  })

  it('whose snapshot is older than a new kind of job enqueues it all the same', async () => {
    const client = await connect(url)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await client.query('SELECT 1')
    const job = { ...(sorts(1)[0] as NewJob), type: 'never-seen-before', queue: 'new' }
    await millrace.engine.enqueue([job], { tx: client })
    await client.query('COMMIT')
    await client.end()
    expect(await millrace.get(job.id)).toMatchObject({ type: 'never-seen-before', state: 'queued' })
  })
})

it.each([
  ['null', null],
  ['text', 'BEGIN'],
  ['an empty object', {}],
  ['a function', () => {}],
  ['a promise', Promise.resolve({})],
])('%s is no transaction', async (_what, tx) => {
  await expect(millrace.enqueue(mail, { to: 'Ann' }, { tx })).rejects.toMatchObject({
    ...invalid,
    message: expect.stringContaining('tx must be an open transaction of pg'),
  })
})

function sorts(count: number): NewJob[] {
  return Array.from({ length: count }, (_, n) => ({
    id: millrace.newId(),
    type: n % 7 === 0 ? 'report' : 'other',
    queue: n % 5 === 0 ? 'default' : 'slow',
    tenant: n % 3 === 0 ? `t"${n}` : '',
    priority: (n % 10) + 1,
    payloadJson: JSON.stringify({ n, text: `${n} ' " \\ \n` }),
    delayMs: n % 4 === 0 ? 3_600_000 : 0,
    runAt: n % 6 === 0 ? 1_900_000_000_000 : null,
    maxAttempts: 3,
    idempotency: n % 2 === 0 ? { key: `${Math.random()}`, bodyHash: 'h' } : null,
  }))
}
