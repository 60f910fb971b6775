import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PostgresEngine } from '../../src/engines/postgres/engine.ts'
import { systemClock, systemRandom } from '../../src/engine/clock.ts'
import type { ClaimedJob, Lease } from '../../src/engine/contract.ts'
import type { NewNode } from '../../src/engine/flow.ts'
import { idMaker } from '../../src/job/id.ts'
import { aJob, complete, dead } from '../conformance/samples.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { connect } from './database.ts'
import { FlowStorm } from './flow-storm.ts'

const newId = idMaker(systemClock.now, bytes => systemRandom.fill(bytes))
const lanes = [{ queue: 'default', types: ['mail'] }]

let server: PostgresServer
let admin: pg.Client
let engine: PostgresEngine
let schemas = 0

beforeAll(async () => {
  server = await startPostgres()
  admin = await connect(server.url())
})
afterAll(async () => {
  await admin.end()
  await server.stop('immediate')
})
beforeEach(async () => {
  engine = await open(++schemas)
  await admin.query(`SET search_path = s${schemas}`)
  return () => engine.close()
})

async function open(schema: number): Promise<PostgresEngine> {
  const opened = new PostgresEngine({ url: server.url(), schema: `s${schema}` })
  await opened.open()
  return opened
}

async function rows<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  return (await admin.query<Row>(sql)).rows
}

function node(name: string, after: string[] = []): NewNode {
  return { name, job: aJob({ id: newId() }), after, onFailure: 'fail' }
}

async function enqueueFlow(nodes: NewNode[]): Promise<string> {
  const flow = { id: newId(), name: 'site', tenant: '', idempotency: null, nodes }
  expect(await engine.enqueueFlow(flow)).toMatchObject({ outcome: 'enqueued' })
  return flow.id
}

async function claim(limit = 100): Promise<ClaimedJob[]> {
  return (await engine.claim({ worker: 'w', lanes, limit, leaseMs: 60_000 })).jobs
}

async function end(leases: Lease[], outcome = complete()): Promise<void> {
  const answers = await engine.settle(
    'w',
    leases.map(lease => ({ lease, outcome, ranMs: 1 })),
  )
  expect(new Set(answers)).toEqual(new Set(['settled']))
}

describe('flows on PostgreSQL', () => {
  it('that many change at the same time all end, and no two wait for each other', async () => {
    const engines = [engine, await open(schemas), await open(schemas)]
    const storm = new FlowStorm(engines)
    await storm.rage(150)
    expect(storm.errors).toEqual([])
    await storm.calm(async () => {
      const [row] = await rows<{ left: number; waiting: string[] }>(
        `SELECT count(*)::int4 AS left, coalesce(array_agg(j.id) FILTER (WHERE s.id IS NOT NULL), '{}')::text[] AS waiting
         FROM job j LEFT JOIN step s ON s.id = j.id AND s.parked = j.epoch AND s.signal IS NOT NULL WHERE j.state < 4`,
      )
      return row as NonNullable<typeof row>
    })
    const [{ deadlocks }] = (await rows<{ deadlocks: string }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    )) as [{ deadlocks: string }]
    expect(Number(deadlocks)).toBe(0)
    expect(await rows('SELECT * FROM flow WHERE finished_at IS NULL')).toEqual([])
    expect(await rows('SELECT * FROM node WHERE waits <> 0')).toEqual([])
    expect(await rows('SELECT * FROM ready')).toEqual([])
    expect(await rows('SELECT * FROM delayed')).toEqual([])
    expect(
      await rows(
        `SELECT f.* FROM flow f JOIN (
           SELECT n.flow, count(*) AS total, count(*) FILTER (WHERE j.state = 4) AS completed,
             count(*) FILTER (WHERE j.state = 5) AS cancelled, count(*) FILTER (WHERE j.state = 6) AS dead,
             count(*) FILTER (WHERE j.state = 6 AND n.on_failure = 0) AS failed,
             count(*) FILTER (WHERE j.state = 5 AND NOT n.skipped) AS stopped
           FROM node n JOIN job j ON j.id = n.id GROUP BY n.flow) AS c ON c.flow = f.id AND c.total = f.total
         WHERE (f.completed, f.cancelled, f.dead, f.failed, f.stopped) <> (c.completed, c.cancelled, c.dead, c.failed, c.stopped)`,
      ),
    ).toEqual([])
    const states = await rows<{ state: number; jobs: number }>(
      'SELECT state, count(*)::int4 AS jobs FROM job GROUP BY state',
    )
    const counted = Object.fromEntries(states.map(({ state, jobs }) => [state, jobs]))
    const { completed, cancelled, dead: died, ...live } = (await engine.counts()).total
    expect({ 4: completed, 5: cancelled, 6: died }).toEqual({ 4: 0, 5: 0, 6: 0, ...counted })
    expect(live).toEqual({ ready: 0, delayed: 0, blocked: 0, running: 0 })
    for (const each of engines.slice(1)) await each.close()
  }, 120_000)

  it('of a job that gets into one while it runs leave no batch behind', async () => {
    await engine.enqueue([aJob({ id: newId() }), aJob({ id: newId() })])
    const [first, second] = (await claim()) as [ClaimedJob, ClaimedJob]
    expect(await engine.extendFlow('w', first, [node('more')])).toMatchObject({ flow: first.id })
    // As its worker has it: without a word of the flow.
    await end([first, second])
    await end(await claim())
    expect(await rows('SELECT * FROM lease')).toEqual([])
    expect(await engine.flow(first.id)).toMatchObject({ state: 'completed', total: 2 })
  })

  it('hold the jobs that have ended until they end themselves, and others are pruned past them', async () => {
    const [head, tail] = [node('head'), node('tail')]
    tail.after.push(head.job.id)
    await enqueueFlow([head, tail])
    await end(await claim())
    const plain = newId()
    await engine.enqueue([aJob({ id: plain, priority: 1 })])
    const [first, second] = (await claim()) as [ClaimedJob, ClaimedJob]
    expect(first.id).toBe(plain)
    await end([first])
    const rules = [{ type: null, state: 'completed', maxAgeMs: 0 } as const]
    expect(await engine.prune({ rules, limit: 1 })).toMatchObject({ removed: 1 })
    expect((await engine.get([head.job.id, plain])).map(job => job?.state)).toEqual(['completed', undefined])
    await end([second], dead())
    expect(await engine.prune({ rules, limit: 10 })).toMatchObject({ removed: 1 })
    expect(await rows('SELECT id FROM node')).toEqual([{ id: tail.job.id }])
    await engine.prune({ rules: [{ type: null, state: 'dead', maxAgeMs: 0 }], limit: 10 })
    for (const table of ['flow', 'node', 'edge'])
      expect(await rows(`SELECT FROM ${table}`), table).toEqual([])
  })
})

describe('a worker on PostgreSQL', () => {
  it('that has nothing to do still says what it claims when that changes', async () => {
    const beat = (types: string[]) =>
      engine.heartbeat({
        worker: 'w',
        label: 'w',
        lanes: [{ queue: 'default', types }],
        leases: [],
        leaseMs: 60_000,
      })
    const lanesOf = async () => (await engine.workers()).map(worker => worker.lanes)
    await claim()
    await claim()
    expect(await lanesOf()).toEqual([null])
    await beat(['mail'])
    expect(await lanesOf()).toEqual([[{ queue: 'default', types: ['mail'] }]])
    await claim()
    await beat(['mail', 'report'])
    expect(await lanesOf()).toEqual([[{ queue: 'default', types: ['mail', 'report'] }]])
    await claim()
    await beat(['mail', 'report'])
    expect(await lanesOf()).toEqual([[{ queue: 'default', types: ['mail', 'report'] }]])
  })
})
