import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresMissing } from '../../../test/support/postgres-binaries.ts'
import { type PostgresServer, startPostgres } from '../../../test/support/postgres-server.ts'
import { systemClock, systemRandom } from '../../engine/clock.ts'
import type { JobFilter, NewJob } from '../../engine/contract.ts'
import { idMaker } from '../../job/id.ts'
import { PostgresEngine } from './engine.ts'
import { list } from './list.ts'
import type { Queries } from './queries.ts'
import { Store } from './store.ts'

const newId = idMaker(systemClock.now, bytes => systemRandom.fill(bytes))

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: PlanNode[]
}

describe.skipIf(postgresMissing(15) !== null)('among 100,000 jobs of which ten match', () => {
  let server: PostgresServer
  let engine: PostgresEngine
  let store: Store
  let admin: pg.Client
  let wanted: string[]

  beforeAll(async () => {
    server = await startPostgres()
    engine = new PostgresEngine({ url: server.url() })
    await engine.open()
    store = new Store({ url: server.url() }, systemClock)
    await store.open()
    admin = new pg.Client({ connectionString: server.url() })
    await admin.connect()
    const jobs = Array.from({ length: 100_000 }, (_, n): NewJob => {
      const site = n % 10_000 === 0 ? 'rare' : n % 2 === 0 ? 'common' : `s${n}`
      return {
        id: newId(),
        type: 'mail',
        queue: 'default',
        tenant: '',
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
    wanted = jobs.filter(job => job.attributes?.['site'] === 'rare').map(job => job.id)
  })

  afterAll(async () => {
    await admin?.end()
    await store?.close()
    await engine?.close()
    await server?.stop('immediate')
  })

  /** What the list did to the tables of jobs and attributes, with the settings that it makes. */
  const explained = async (filter: JobFilter): Promise<{ ids: string[]; scans: PlanNode[] }> => {
    const scans: PlanNode[] = []
    const recorded = (db: Queries): Queries => {
      const explain = async (sql: string, values: readonly unknown[] = []): Promise<void> => {
        if (!/^\s*(SELECT|WITH)/.test(sql) || !sql.includes('attribute')) return
        const [row] = await db.rows<[plan: string]>(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, values)
        const [explained] = JSON.parse(row?.[0] ?? '[]') as { Plan: PlanNode }[]
        scans.push(...scansIn(explained?.Plan))
      }
      return {
        all: async (sql, values) => (await explain(sql, values), db.all(sql, values)),
        rows: async (sql, values) => (await explain(sql, values), db.rows(sql, values)),
      }
    }
    const watched: Pick<Store, 'view' | 'all' | 'rows'> = {
      ...recorded(store),
      view: (settings, work) => store.view(settings, db => work(recorded(db))),
    }
    const { jobs } = await list(watched, filter, { limit: 100 })
    return { ids: jobs.map(job => job.id), scans }
  }

  const cases: [string, JobFilter][] = [
    ['one attribute', { attributes: { site: 'rare' } }],
    ['two, of which one is common', { attributes: { plan: 'free', site: 'rare' } }],
    ['everything at once', { attributes: { site: 'rare' }, types: ['mail'], queues: ['default'], from: 1 }],
  ]

  for (const [when, prepare] of [
    ['in tables that were never analyzed', ''],
    ['in tables that were', 'VACUUM ANALYZE'],
  ] as const)
    it.each(cases)(`${when}, %s leads by an index to those, and to little else`, async (_by, filter) => {
      if (prepare !== '') await admin.query(prepare)
      const { ids, scans } = await explained(filter)
      expect(ids).toEqual(wanted.toReversed())
      expect(scans.map(scan => scan['Index Name'])).toContain('attribute_value')
      expect(scans.filter(scan => !scan['Node Type'].startsWith('Index'))).toEqual([])
      // Of a common attribute a thousand are counted, to see that it is.
      expect(rowsRead(scans)).toBeLessThan(1_200)
    })
})

function scansIn(node: PlanNode | undefined): PlanNode[] {
  if (!node) return []
  const own = /^(job|attribute)/.test(node['Relation Name'] ?? '') ? [node] : []
  return [...own, ...(node.Plans ?? []).flatMap(scansIn)]
}

function rowsRead(scans: readonly PlanNode[]): number {
  const read = scans.map(
    scan => (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops'],
  )
  return read.reduce((sum, each) => sum + each, 0)
}
