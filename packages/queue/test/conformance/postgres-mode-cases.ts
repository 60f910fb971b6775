import type pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { idMaker } from '../../src/job/id.ts'
import { createMillrace, type Engine, openEngine } from '../../src/index.ts'
import type { Lease } from '../../src/engine/contract.ts'
import { turn } from '../support/test-clock.ts'
import type { PostgresStore } from './postgres-store.ts'
import { aJob, complete, minuteMs } from './samples.ts'

type Store = () => PostgresStore

export function hearsByNotification(store: Store): void {
  it('hears by notification, and says so', async () => {
    expect(await notesOf(store().url)).toEqual([expect.stringMatching(/LISTEN/)])
  })

  it('hears by polling where it is told to, and says so', async () => {
    const url = new URL(store().url)
    url.searchParams.set('wakeups', 'poll')
    expect(await notesOf(url.href)).toEqual([expect.stringMatching(/poll/i)])
  })
}

export function forgetsWhatIsGone(store: Store): void {
  it('keeps no note of jobs that were removed, when nothing of their kind is left', async () => {
    const engine = await opened(store().url)
    const ids = Array.from({ length: 3 }, newId)
    await engine.enqueue(ids.map(id => aJob({ id, queue: 'gone' })))
    const lanes = [{ queue: 'gone', types: ['mail'] }]
    const { jobs } = await engine.claim({ worker: 'worker-1', lanes, limit: 3, leaseMs: minuteMs })
    await engine.settle(
      'worker-1',
      jobs.map(lease => ({ lease, outcome: complete(), ranMs: 0 })),
    )
    await engine.remove(ids)
    const rules = [{ type: 'mail', state: 'completed', maxCount: 100 } as const]
    expect(await engine.prune({ rules, limit: 2 })).toEqual({ removed: 0, more: true })
    expect(await engine.prune({ rules, limit: 2 })).toEqual({ removed: 0, more: false })
    const { admin, schema } = store()
    expect((await admin.query(`SELECT FROM ${schema}.finished`)).rowCount).toBe(0)
  })
}

export function hearsByPolling(store: Store): void {
  it('finds out that notifications do not come through, and says that it polls', async () => {
    expect(await notesOf(store().url)).toEqual([expect.stringMatching(/pooler.*poll/i)])
  })
}

export function keepsToItsSchema(store: Store): void {
  it('makes nothing outside its schema', async () => {
    const { admin, schema, url } = store()
    await opened(url)
    const { rows } = await admin.query<{ name: string }>(
      `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname NOT IN ($1, 'pristine') AND n.nspname !~ '^pg_|^information_schema$'
       UNION SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       WHERE n.nspname NOT IN ($1, 'pristine') AND n.nspname !~ '^pg_|^information_schema$'`,
      [schema],
    )
    expect(rows.filter(row => !row.name.startsWith('public.notes'))).toEqual([])
  })

  it('shares a database with a queue in another schema, neither seeing the other', async () => {
    const other = new URL(store().url)
    other.searchParams.delete('schema')
    const [one, two] = [await opened(store().url), await opened(other.href)]
    const before = (await one.counts()).total.ready
    await two.enqueue([aJob({ id: newId() })])
    expect((await two.counts()).total.ready).toBe(1)
    expect((await one.counts()).total.ready).toBe(before)
    await store().admin.query('DROP SCHEMA millrace CASCADE')
  })
}

/** Whatever it does at the same time, and with somebody who listens. */
export function holdsConnections(store: Store, most: number): void {
  it(`holds no more connections than ${most}`, async () => {
    const engine = await opened(store().url)
    const millrace = createMillrace({ engine })
    engine.subscribe(() => {})
    await fewerThan(most + 1, store())
    let seen = 0
    const ids = Array.from({ length: 20 }, newId)
    let busy = true
    const calls = Promise.all([
      ...ids.map(id => engine.enqueue([aJob({ id })])),
      ...ids.map(id => engine.get([id])),
      millrace.stats(),
    ]).finally(() => {
      busy = false
    })
    do seen = Math.max(seen, await backends(store()))
    while (busy)
    await calls
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThanOrEqual(most)
  })
}

export function leavesNothingBehind(store: Store): void {
  it('leaves no connection behind when it is closed', async () => {
    await fewerThan(1, store())
    const engine = await opened(store().url)
    engine.subscribe(() => {})
    await engine.enqueue([aJob({ id: newId() })])
    expect(await backends(store())).toBeGreaterThan(0)
    await engine.close()
    await fewerThan(1, store())
  })
}

/** A statement that fails leaves its transaction unable to commit, whoever catches the error. */
export function completesNothingByHalves(store: Store): void {
  it('does not take a completion for settled when its work has hidden a failed statement', async () => {
    const engine = await opened(store().url)
    const id = newId()
    await engine.enqueue([aJob({ id, queue: 'halves' })])
    const lanes = [{ queue: 'halves', types: ['mail'] }]
    const { jobs } = await engine.claim({ worker: 'worker-1', lanes, limit: 1, leaseMs: minuteMs })
    const [lease] = jobs
    if (lease === undefined) throw new Error('a job was expected')
    const caller = store().caller()
    const answer = engine.completeIn('worker-1', lease, async tx => {
      await caller.write(tx, 'sent')
      await (tx as pg.ClientBase).query('SELECT nonsense').catch(() => {})
      return { resultJson: null, ranMs: 0 }
    })
    await expect(answer).rejects.toThrow()
    expect(await caller.notes()).toEqual([])
    expect(await engine.get([id])).toMatchObject([{ state: 'running' }])
    expect(await engine.settle('worker-1', [{ lease, outcome: complete(), ranMs: 0 }])).toEqual(['settled'])
  })
}

/** A handler may keep its transaction open for longer than its worker's lease. */
export function servesBesideHandlers(store: Store): void {
  it('beats and settles while handlers hold every connection that they may', async () => {
    const engine = await opened(store().url)
    engine.subscribe(() => {})
    const ids = Array.from({ length: 9 }, newId)
    await engine.enqueue(ids.map(id => aJob({ id, queue: 'held' })))
    const lanes = [{ queue: 'held', types: ['mail'] }]
    const { jobs } = await engine.claim({ worker: 'worker-1', lanes, limit: 9, leaseMs: minuteMs })
    const [quick, ...held] = jobs as Lease[] as [Lease, ...Lease[]]
    const { promise: end, resolve: endAll } = Promise.withResolvers<void>()
    let begun = 0
    const completions = held.map(lease =>
      engine.completeIn('worker-1', lease, async () => {
        begun++
        await end
        return { resultJson: null, ranMs: 0 }
      }),
    )
    while (begun < 4) await turn()
    const beat = { worker: 'worker-1', label: 'one', leases: jobs, leaseMs: minuteMs }
    expect(await engine.heartbeat(beat)).toMatchObject({ lost: [] })
    expect(await engine.settle('worker-1', [{ lease: quick, outcome: complete(), ranMs: 0 }])).toEqual([
      'settled',
    ])
    endAll()
    expect(await Promise.all(completions)).toEqual(held.map(() => 'settled'))
  })
}

const newId = idMaker(Date.now, bytes => crypto.getRandomValues(bytes))

async function notesOf(url: string): Promise<string[]> {
  const health = await (await opened(url)).health()
  expect(health.ok).toBe(true)
  return health.notes
}

async function opened(url: string): Promise<Engine> {
  const engine = openEngine(url)
  onTestFinished(() => engine.close())
  await engine.open()
  return engine
}

/** Waits until there are, because the server notices a moment later that a client has gone. */
async function fewerThan(count: number, store: PostgresStore): Promise<void> {
  for (const sinceMs = performance.now(); ; await turn()) {
    const held = await backends(store)
    if (held < count) return
    if (performance.now() - sinceMs > 5_000) throw new Error(`${held} connections are still open`)
  }
}

/** How many connections to the store's database there are, besides the one that asks. */
async function backends({ admin }: PostgresStore): Promise<number> {
  const { rows } = await admin.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
  )
  return rows[0]?.n ?? 0
}
