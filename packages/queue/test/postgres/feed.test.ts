import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { PostgresEngine } from '../../src/engines/postgres/engine.ts'
import {
  createMillrace,
  createWorker,
  defineJob,
  type FeedItem,
  handle,
  type Millrace,
} from '../../src/index.ts'
import { eventually } from '../crash/eventually.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { connect } from './database.ts'

const work = defineJob({ type: 'work', payload: z.object({}) })

let server: PostgresServer
let admin: pg.Client
let schema: string
let count = 0

beforeAll(async () => {
  server = await startPostgres()
  admin = await connect(server.url())
})
afterAll(async () => {
  await admin.end()
  await server.stop('immediate')
})
beforeEach(() => {
  schema = `s${++count}`
})

/** A process's side of the store. */
function opened(): { millrace: Millrace; engine: PostgresEngine } {
  const engine = new PostgresEngine({ url: server.url(), schema })
  const millrace = createMillrace({ engine })
  onTestFinished(() => millrace.close())
  return { millrace, engine }
}

async function next(follower: AsyncIterator<FeedItem, undefined>, many: number): Promise<FeedItem[]> {
  const items: FeedItem[] = []
  while (items.length < many) items.push((await follower.next()).value as FeedItem)
  return items
}

describe('the feed on PostgreSQL', () => {
  it('is neither held up by an open transaction that has enqueued, nor misses what that commits later', async () => {
    const { millrace } = opened()
    const { millrace: elsewhere } = opened()
    const follower = millrace.feed.follow({ events: ['enqueued'] })
    await follower.started
    const tx = await connect(server.url())
    onTestFinished(() => tx.end())
    await tx.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    const within = await elsewhere.enqueue(work, {}, { tx })
    const beside = [await elsewhere.enqueue(work, {}), await millrace.enqueue(work, {})]
    const ids = [within, ...beside].map(each => each.id)
    const seen = await next(follower, 3)
    expect(seen.map(item => 'id' in item && item.id).toSorted()).toEqual(ids.toSorted())
    const before = seen.at(-1)?.seq as number
    await tx.query('COMMIT')
    const { id } = await elsewhere.enqueue(work, {})
    expect(await next(follower, 1)).toMatchObject([{ id, seq: before + 1 }])
  })

  it('gives its places one after the other: an append waits for the one before it to commit', async () => {
    const { millrace, engine } = opened()
    await millrace.open()
    const entry = {
      event: 'progress',
      id: null,
      type: 'work',
      queue: 'q',
      tenant: '',
      data: {},
      agoMs: 0,
    } as const
    await admin.query('BEGIN')
    await admin.query(
      `SELECT ${schema}.feed_append(NULL, NULL, gen_random_uuid(), 1, '[["progress",null,"work","q","",0,{}]]')`,
    )
    let isDone = false
    const second = engine.appendFeed(millrace.newId(), [entry]).then(() => {
      isDone = true
    })
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%feed_append%'`
    await eventually('the second append waits', 10_000, async () => {
      // Within a transaction, what was seen first is shown again.
      await admin.query('SELECT pg_stat_clear_snapshot()')
      return (await admin.query(waiting)).rowCount === 1
    })
    expect(isDone).toBe(false)
    expect((await engine.readFeed({ after: 0, limit: 10 })).entries).toEqual([])
    await admin.query('COMMIT')
    await second
    const { entries } = await engine.readFeed({ after: 0, limit: 10 })
    expect(entries).toHaveLength(2)
    expect((entries[1]?.seq as number) - (entries[0]?.seq as number)).toBe(1)
  })

  it('is a gap to all who follow when the server was restarted: its last appends may be gone', async () => {
    const { millrace } = opened()
    const follower = millrace.feed.follow()
    await follower.started
    await millrace.enqueue(work, {})
    const [first] = await next(follower, 1)
    // What it knows of the server's start is not what the server says.
    await admin.query(`UPDATE ${schema}.feed_state SET server = server - interval '1 h'`)
    const { id } = await millrace.enqueue(work, {})
    expect(await next(follower, 2)).toMatchObject([{ event: 'gap' }, { event: 'enqueued', id }])
    expect((await millrace.feed.read({ after: first?.seq as number })).gap).toBe(true)
  })

  it('is known to be watched by an idle worker at once, and by a notification', {
    timeout: 30_000,
  }, async () => {
    const { millrace: elsewhere } = opened()
    // A heartbeat once in 40 seconds tells nobody in time.
    const worker = createWorker(elsewhere, [handle(work, () => {})], { leaseMs: 120_000 })
    await worker.start()
    onTestFinished(() => worker.stop())
    const { millrace } = opened()
    const follower = millrace.feed.follow({ events: ['completed'] })
    await follower.started
    await eventually('the worker listens', 10_000, () => elsewhere.events.heard('completed'))
    const { id } = await millrace.enqueue(work, {})
    expect(await next(follower, 1)).toMatchObject([{ event: 'completed', id }])
  })

  it('costs an idle worker no question: its claims ask on the side', { timeout: 30_000 }, async () => {
    const { millrace, engine } = opened()
    const worker = createWorker(millrace, [handle(work, () => {})])
    await worker.start()
    onTestFinished(() => worker.stop())
    const { store } = engine
    const all = store.all.bind(store)
    let asked = 0
    store.all = (sql, values) => {
      if (sql.includes('feed_state')) asked++
      return all(sql, values)
    }
    await eventually('a claim has asked', 15_000, async () => {
      const before = asked
      await engine.feedWatched()
      return asked === before
    })
    await engine.watchFeed(60_000)
    await eventually('a claim tells that somebody watches', 15_000, async () => {
      const before = asked
      return (await engine.feedWatched()) > 0 && asked === before
    })
  })
})
