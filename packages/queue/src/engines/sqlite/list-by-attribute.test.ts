import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock, systemRandom } from '../../engine/clock.ts'
import type { JobFilter, NewJob } from '../../engine/contract.ts'
import { idMaker } from '../../job/id.ts'
import { SqliteEngine } from './engine.ts'
import { Kinds } from './kinds.ts'
import { list } from './list.ts'
import { openStore, Store } from './store.ts'

const newId = idMaker(systemClock.now, bytes => systemRandom.fill(bytes))

/** Remembers what it was asked. */
class Recorder extends Store {
  readonly asked: { sql: string; values: unknown[] }[] = []

  override rows<Row extends unknown[]>(sql: string, ...values: never[]): Row[] {
    this.asked.push({ sql, values })
    return super.rows(sql, ...values)
  }

  override get<Row>(sql: string, ...values: never[]): Row | undefined {
    this.asked.push({ sql, values })
    return super.get(sql, ...values)
  }
}

describe('among 100,000 jobs of which ten match', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const path = join(folder, 'queue.db')
  let wanted: string[]

  beforeAll(async () => {
    const engine = new SqliteEngine({ path })
    await engine.open()
    const jobs = Array.from({ length: 100_000 }, (_, n): NewJob => {
      const site = n % 10_000 === 0 ? 'rare' : n % 2 === 0 ? 'common' : `s${n}`
      return {
        id: newId(),
        type: 'mail',
        queue: 'default',
        tenant: n % 3 === 0 ? 'acme' : '',
        priority: 5,
        payloadJson: '{}',
        delayMs: 0,
        runAt: null,
        maxAttempts: 3,
        idempotency: null,
        attributes: { site, plan: 'free' },
      }
    })
    for (let from = 0; from < jobs.length; from += 5_000) await engine.enqueue(jobs.slice(from, from + 5_000))
    await engine.close()
    wanted = jobs.filter(job => job.attributes?.['site'] === 'rare').map(job => job.id)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const plans = (filter: JobFilter): { ids: string[]; plans: string[] } => {
    const store = new Recorder(openStore(path).db)
    onTestFinished(() => store.close())
    const kinds = new Kinds()
    kinds.refresh(store)
    store.asked.length = 0
    const { jobs } = list(store, kinds, filter, { limit: 100 })
    const explained = store.asked.flatMap(({ sql, values }) =>
      store.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(values as string[])),
    )
    return { ids: jobs.map(job => job.id), plans: explained.map(row => String(row['detail'])) }
  }

  it.each<[string, JobFilter]>([
    ['one attribute', { attributes: { site: 'rare' } }],
    ['two, of which one is common', { attributes: { plan: 'free', site: 'rare' } }],
    ['everything at once', { attributes: { site: 'rare' }, types: ['mail'], queues: ['default'], from: 1 }],
  ])('%s leads by an index to those, and to nothing else', (_by, filter) => {
    const found = plans(filter)
    expect(found.ids).toEqual(wanted.toReversed())
    expect(
      found.plans.some(plan => /SEARCH millrace_attribute USING .*\(name=\? AND value=\?/.test(plan)),
    ).toBe(true)
    // What is walked of the jobs that were found, and the filter's own lists, are no tables.
    const scans = found.plans.filter(plan => /^SCAN (?!a$|\(subquery|(o|json_each) )/.test(plan))
    expect(scans).toEqual([])
    expect(found.plans.filter(plan => /TEMP B-TREE/.test(plan))).toEqual([])
  })
})
