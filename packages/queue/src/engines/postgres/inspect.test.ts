import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresMissing } from '../../../test/support/postgres-binaries.ts'
import { type PostgresServer, startPostgres } from '../../../test/support/postgres-server.ts'
import { systemClock, systemRandom } from '../../engine/clock.ts'
import type { ClaimedJob, LogLine, NewJob } from '../../engine/contract.ts'
import { idMaker } from '../../job/id.ts'
import { PostgresEngine } from './engine.ts'

const newId = idMaker(systemClock.now, bytes => systemRandom.fill(bytes))
const dayMs = 86_400_000
const line = (message: string): LogLine => ({ level: 'info', message, dataJson: '{"a":1}', at: 1 })

describe.skipIf(postgresMissing(15) !== null)('on PostgreSQL', () => {
  let server: PostgresServer
  let engine: PostgresEngine
  let admin: pg.Client

  beforeAll(async () => {
    server = await startPostgres()
    engine = new PostgresEngine({ url: server.url() })
    await engine.open()
    admin = new pg.Client({ connectionString: server.url() })
    await admin.connect()
    await admin.query('SET search_path = millrace')
  })

  afterAll(async () => {
    await admin?.end()
    await engine?.close()
    await server?.stop('immediate')
  })

  const enqueue = async (type: string, count: number): Promise<string[]> => {
    const jobs = Array.from(
      { length: count },
      (): NewJob => ({
        id: newId(),
        type,
        queue: 'default',
        tenant: '',
        priority: 5,
        payloadJson: '{}',
        delayMs: 0,
        runAt: null,
        maxAttempts: 3,
        idempotency: null,
      }),
    )
    await engine.enqueue(jobs)
    return jobs.map(job => job.id)
  }
  const claim = async (type: string, limit: number): Promise<ClaimedJob[]> =>
    (
      await engine.claim({
        worker: 'w',
        lanes: [{ queue: 'default', types: [type] }],
        limit,
        leaseMs: 60_000,
      })
    ).jobs
  const finish = async (type: string, count: number): Promise<string[]> => {
    const ids = await enqueue(type, count)
    const leases = await claim(type, count)
    await engine.settle(
      'w',
      leases.map(lease => ({ lease, outcome: { kind: 'complete', resultJson: null }, ranMs: 1 })),
    )
    return ids
  }

  it('a report that is sent again stores its lines once', async () => {
    await enqueue('again', 1)
    const [lease] = (await claim('again', 1)) as [ClaimedJob]
    const logLines = [line('one'), line('one'), line('two')]
    await engine.report('w', [{ lease, logLines }])
    expect(await engine.report('w', [{ lease, logLines: [...logLines, line('three')] }])).toEqual(['ok'])
    const messages = (await engine.logs(lease.id)).map(each => each.message)
    expect(messages).toEqual(['one', 'one', 'two', 'three'])
  })

  it('an attempt’s log ends with the line that says it is full', async () => {
    await enqueue('chatty', 1)
    const [lease] = (await claim('chatty', 1)) as [ClaimedJob]
    for (const part of [0, 1, 2])
      await engine.report('w', [
        { lease, logLines: Array.from({ length: 400 }, (_, n) => line(`${part} ${n}`)) },
      ])
    const logs = await engine.logs(lease.id)
    expect(logs).toHaveLength(1_000)
    expect(logs.at(-2)?.message).toBe('2 198')
    expect(logs.at(-1)).toMatchObject({ level: 'warn', dataJson: null })
  })

  it('a report waits for whoever has a job locked, and its neighbours do not', async () => {
    await enqueue('locked', 2)
    const [first, second] = (await claim('locked', 2)) as [ClaimedJob, ClaimedJob]
    await admin.query('BEGIN')
    await admin.query('SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE', [first.id])
    const answers = engine.report('w', [
      { lease: first, logLines: [line('held up')] },
      { lease: second, logLines: [line('free')] },
    ])
    await expect.poll(() => engine.logs(second.id)).toHaveLength(1)
    expect(await engine.logs(first.id)).toEqual([])
    await admin.query('COMMIT')
    expect(await answers).toEqual(['ok', 'ok'])
    expect(await engine.logs(first.id)).toHaveLength(1)
  })

  it('pruners that race keep as many as the rule says', async () => {
    const ids = await finish('raced', 60)
    const rules = [{ type: 'raced', state: 'completed', maxCount: 20 } as const]
    const other = new PostgresEngine({ url: server.url() })
    await other.open()
    const answers = await Promise.all(
      [engine, other, engine, other].map(each => each.prune({ rules, limit: 30 })),
    )
    await other.close()
    await engine.prune({ rules, limit: 100 })
    expect(answers.reduce((sum, { removed }) => sum + removed, 0)).toBeLessThanOrEqual(40)
    expect((await engine.get(ids)).filter(job => job !== null)).toHaveLength(20)
  })

  it('a list goes on where it was, though jobs are pruned from the end of it', async () => {
    const ids = await finish('paged', 40)
    const filter = { types: ['paged'], states: ['completed' as const] }
    const first = await engine.list(filter, { limit: 10 })
    await engine.prune({ rules: [{ type: 'paged', state: 'completed', maxCount: 25 }], limit: 100 })
    const rest = await engine.list(filter, { limit: 100, cursor: first.cursor as string })
    expect([...first.jobs, ...rest.jobs].map(job => job.id)).toEqual(ids.slice(15).toReversed())
  })

  it('drops past weeks without jobs, and no others', async () => {
    const at = Date.now() - 30 * dayMs
    await admin.query('SELECT make_weeks($1, 1)', [at])
    const [kept] = await finish('old', 1)
    const moved = idMaker(
      () => at,
      bytes => systemRandom.fill(bytes),
    )()
    await admin.query('UPDATE job SET id = $2 WHERE id = $1', [kept, moved])
    const weeks = async (): Promise<(string | null)[]> => {
      const { rows } = await admin.query<{ name: string | null }>(
        `SELECT to_regclass('job_' || to_char(to_timestamp(week_of(at) / 1000) AT TIME ZONE 'UTC', 'YYYYMMDD'))::text AS name
         FROM unnest($1::int8[]) AS at`,
        [[at, at + 7 * dayMs]],
      )
      return rows.map(row => row.name)
    }
    expect(await weeks()).not.toContain(null)
    const other = new PostgresEngine({ url: server.url() })
    await other.open()
    await other.prune({ rules: [], limit: 100 })
    await other.close()
    const [first, second] = await weeks()
    expect(first).not.toBeNull()
    expect(second).toBeNull()
    expect(await engine.get([moved])).toMatchObject([{ state: 'completed' }])
  })
})
