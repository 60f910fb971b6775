import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/engine/clock.ts'
import { expectedIndexes } from '../../src/engines/postgres/doctor/schema.ts'
import { type ExamineOptions, examine, type Finding } from '../../src/engines/postgres/doctor.ts'
import { createMillrace, createWorker, defineJob, handle, openEngine } from '../../src/index.ts'
import { pgbouncerMissing, startPgBouncer } from '../support/pgbouncer.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { connect, createStore } from './database.ts'

const mail = defineJob({ type: 'mail', payload: z.object({}) })
const minuteMs = 60_000

let server: PostgresServer
let made = 0
let name: string
let url: string
let admin: pg.Client

beforeAll(async () => {
  const settings = { max_prepared_transactions: '5', max_connections: '30' }
  server = await startPostgres({ durable: true, settings })
})
afterAll(() => server.stop('immediate'))
beforeEach(async () => {
  name = `store_${++made}`
  url = await createStore(server, name)
  admin = await connect(url)
  await admin.query('SET search_path = millrace')
  return () => admin.end()
})

/** What is found by that name. */
async function look(check: string, options: ExamineOptions = {}, at = url): Promise<Finding[]> {
  return (await examine(at, options)).filter(finding => finding.check === check)
}

/** Looks again until it has come about. */
async function found(
  check: string,
  status: Finding['status'],
  options: ExamineOptions = {},
): Promise<Finding> {
  for (const deadlineAt = Date.now() + 30_000; ; ) {
    const findings = await look(check, options)
    const one = findings.find(each => each.status === status)
    if (one) return one
    if (Date.now() > deadlineAt) throw new Error(`still ${JSON.stringify(findings)}`)
  }
}

function finding(status: Finding['status'], says: RegExp, advice: RegExp | null = /./): object {
  return {
    status,
    says: expect.stringMatching(says),
    advice: advice === null ? null : expect.stringMatching(advice),
  }
}

async function setting(text: string): Promise<void> {
  await admin.query(`ALTER SYSTEM SET ${text}`)
  await admin.query('SELECT pg_reload_conf()')
}

async function reset(setting: string): Promise<void> {
  await admin.query(`ALTER SYSTEM RESET ${setting}`)
  await admin.query('SELECT pg_reload_conf()')
}

describe('the doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    await admin.query('SELECT make_weeks(now_ms(NULL), 2)')
    const millrace = createMillrace({ engine: openEngine(url), jobs: [mail] })
    const worker = createWorker(millrace, [handle(mail, async () => null)])
    await worker.start()
    onTestFinished(async () => {
      await worker.stop()
      await millrace.close()
    })
    await found('workers', 'ok')
    const findings = await examine(url)
    expect(findings.filter(each => each.status !== 'ok')).toEqual([])
    expect(findings.every(each => each.advice === null)).toBe(true)
    expect(findings.map(each => each.check)).toEqual([
      'connection',
      'versions',
      'durability',
      'clock',
      'connections',
      'autovacuum',
      'transactions',
      'migrations',
      'dead rows',
      'indexes',
      'partitions',
      'job_other',
      'counters',
      'workers',
      'lag',
    ])
    expect(findings[0]?.says).toMatch(/^direct, wake-ups by LISTEN, \d+\.\d ms there and back$/)
    expect(findings[1]?.says).toMatch(/^PostgreSQL \d+.*, schema millrace version \d+, millrace \d+\.\d+/)
  })

  it('says that the server can not be reached', async () => {
    expect(await examine('postgres://postgres@127.0.0.1:1/none')).toMatchObject([
      { check: 'connection', ...finding('bad', /can not be reached/) },
    ])
  })

  it('says that a far database is far', async () => {
    expect(await look('connection', { limits: { roundTripMs: 0 } })).toMatchObject([
      finding('warn', /there and back/, /region/),
    ])
  })

  it.skipIf(pgbouncerMissing() !== null)('knows a pooler, and what LISTEN is worth there', async () => {
    const pooler = await startPgBouncer(server)
    onTestFinished(() => pooler.stop())
    await admin.query(`ALTER DATABASE ${name} SET synchronous_commit = off`)
    expect(await look('connection', {}, pooler.url(name))).toMatchObject([
      finding('ok', /through a pooler, wake-ups by polling/, null),
    ])
    expect(await look('connection', {}, pooler.url(name, { wakeups: 'listen' }))).toMatchObject([
      finding('warn', /through a pooler, wake-ups by LISTEN/, /wakeups=listen/),
    ])
    expect(await look('durability', {}, pooler.url(name))).toMatchObject([
      finding('bad', /synchronous_commit is off/, /ALTER ROLE/),
    ])
  })

  it('says that clocks differ', async () => {
    const off = (ms: number): ExamineOptions => ({ clock: { ...systemClock, now: () => Date.now() + ms } })
    expect(await look('clock')).toMatchObject([finding('ok', /differ by \d+ ms/, null)])
    expect(await look('clock', off(5_000))).toMatchObject([finding('warn', /5 s ahead of/, /NTP/)])
    expect(await look('clock', off(-10 * minuteMs))).toMatchObject([finding('bad', /10 min behind/)])
  })

  it('says when what is acknowledged can be lost', async () => {
    await admin.query(`ALTER DATABASE ${name} SET synchronous_commit = off`)
    expect(await look('durability')).toMatchObject([finding('warn', /synchronous_commit is off/)])
    await setting('fsync = off')
    expect(await found('durability', 'bad')).toMatchObject(finding('bad', /fsync is off/))
    await reset('fsync')
    await found('durability', 'warn')
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
    expect(await look('durability')).toMatchObject([finding('bad', /takes no writes/)])
  })

  it('says that connections run out', async () => {
    const clients = await Promise.all(Array.from({ length: 22 }, () => connect(url)))
    onTestFinished(() => Promise.all(clients.map(client => client.end())).then(() => {}))
    expect(await look('connections')).toMatchObject([finding('warn', /2\d of 27 connections/, /pooler/)])
  })

  it('says that autovacuum is off, for all or for a table', async () => {
    await admin.query('ALTER TABLE ready SET (autovacuum_enabled = off)')
    expect(await look('autovacuum')).toMatchObject([finding('warn', /switched off for ready/)])
    await setting('autovacuum = off')
    expect(await found('autovacuum', 'bad')).toMatchObject(finding('bad', /autovacuum is off/))
    await reset('autovacuum')
    await found('autovacuum', 'warn')
  })

  it('names the oldest open transactions, prepared ones too', async () => {
    const limits = { transactionMs: { warn: 0, bad: 60 * minuteMs } }
    const client = await connect(url)
    await client.query(`SET application_name = 'forgotten'`)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await client.query('SELECT 1')
    expect(await look('transactions', { limits })).toMatchObject([
      finding('warn', /session \d+ of postgres forgotten has been open/, /pg_terminate_backend\(\d+\)/),
    ])
    await client.query('INSERT INTO millrace.band VALUES (1, 1)')
    await client.query(`PREPARE TRANSACTION 'half done'`)
    await client.end()
    const bad = { transactionMs: { warn: 0, bad: 0 } }
    expect(await look('transactions', { limits: bad })).toMatchObject([
      finding('bad', /prepared transaction half done of postgres/, /ROLLBACK PREPARED 'half done'/),
    ])
    expect(await look('transactions')).toMatchObject([finding('ok', /the oldest is open for/, null)])
    await admin.query(`ROLLBACK PREPARED 'half done'`)
  })

  it('names replication slots that nobody reads', async () => {
    await admin.query(`SELECT pg_create_physical_replication_slot('unread', true)`)
    expect(await look('replication')).toMatchObject([
      finding('warn', /slot unread/, /pg_drop_replication_slot/),
    ])
    await admin.query(`SELECT pg_drop_replication_slot('unread')`)
  })

  it('says what its user can not see', async () => {
    await admin.query('CREATE ROLE watcher LOGIN')
    const asWatcher = url.replace('//postgres@', '//watcher@')
    const blind = /only its own sessions/
    expect(await look('transactions', {}, asWatcher)).toMatchObject([
      finding('ok', /./, null),
      finding('warn', blind, /pg_monitor/),
    ])
    expect(await look('migrations', {}, asWatcher)).toMatchObject([
      finding('warn', /could not be looked at/, /reader's role/),
    ])
    await admin.query('GRANT pg_monitor TO watcher')
    expect(await look('transactions', {}, asWatcher)).toMatchObject([finding('ok', /./, null)])
  })

  it('says what is not migrated, and what is too new', async () => {
    expect(await look('migrations', {}, server.url(name, { schema: 'other' }))).toMatchObject([
      finding('bad', /schema other has no tables/, /millrace migrate/),
    ])
    await admin.query(`DELETE FROM migration WHERE name = '0012_views.sql'`)
    expect(await look('migrations')).toMatchObject([finding('bad', /not applied: 0012_views.sql/)])
    await admin.query(`INSERT INTO migration (version, name, oldest) VALUES (9999, '9999_future.sql', 9999)`)
    expect(await look('migrations')).toMatchObject([finding('bad', /made by a newer release/, /upgrade/)])
  })

  it('counts dead rows', async () => {
    await admin.query('ALTER TABLE delta SET (autovacuum_enabled = off)')
    // What a session did is counted at the latest when it ends.
    const client = await connect(url)
    await client.query(
      'INSERT INTO millrace.delta (seq, at, kind) SELECT n, n, 1 FROM generate_series(1, 3000) AS n',
    )
    await client.query('DELETE FROM millrace.delta')
    await client.end()
    const dead = await found('dead rows', 'warn', { limits: { deadRows: 1_000 } })
    expect(dead).toMatchObject(finding('warn', /delta has 3000 dead rows/, /VACUUM "millrace"."delta"/))
    expect(await look('dead rows')).toMatchObject([finding('ok', /3000 in the live tables/, null)])
  })

  it('knows every index that a new schema has', async () => {
    const { rows } = await admin.query<{ table: string; names: string[] }>(
      `SELECT tablename AS table, array_agg(indexname::text ORDER BY indexname) AS names
       FROM pg_indexes WHERE schemaname = 'millrace' AND tablename !~ '^job_[0-9]' GROUP BY 1`,
    )
    expect(Object.fromEntries(rows.map(row => [row.table, row.names]))).toEqual(expectedIndexes)
  })

  it('names indexes that are missing or not usable', async () => {
    await admin.query('DROP INDEX ready_band')
    await admin.query(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'delta_seq'::regclass`)
    expect(await look('indexes')).toMatchObject([
      finding('bad', /missing: ready_band/, /CREATE INDEX CONCURRENTLY/),
      finding('bad', /not usable: delta_seq/, /REINDEX/),
    ])
  })

  it('counts the weeks that have a partition', async () => {
    await admin.query(`DO $$ DECLARE t text; BEGIN
      FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'millrace' AND tablename ~ '^job_[0-9]'
      LOOP EXECUTE 'DROP TABLE ' || t; END LOOP; END $$`)
    expect(await look('partitions')).toMatchObject([finding('bad', /no partition for this week/, /worker/)])
    await admin.query('SELECT make_weeks(now_ms(NULL), 0)')
    expect(await look('partitions')).toMatchObject([finding('warn', /for 0 weeks ahead/)])
    await admin.query('SELECT make_weeks(now_ms(NULL), 2)')
    expect(await look('partitions')).toMatchObject([finding('ok', /for 2 weeks ahead/, null)])
    await admin.query('SELECT make_weeks(now_ms(NULL) + 5 * 604800000::int8, 1)')
    expect(await look('partitions')).toMatchObject([finding('ok', /for 2 weeks ahead/, null)])
  })

  it('counts jobs outside their week, and rows to add up', async () => {
    await admin.query(`SELECT enqueue('mail', '{}')`)
    await admin.query(
      `INSERT INTO job (id, created_at, run_at, kind, priority, max_attempts, payload)
       SELECT first_id(978307200000), 0, 0, 1, 5, 3, '{}'`,
    )
    const outside = await look('job_other')
    expect(outside).toMatchObject([finding('warn', /\d jobs are outside/, /clocks/)])
    expect(await look('counters')).toMatchObject([finding('ok', /^1 rows/, null)])
    expect(await look('counters', { limits: { deltas: 0 } })).toMatchObject([
      finding('warn', /more than 0 rows/, /oldest open transaction/),
    ])
  })

  it('says which kinds of job wait for too long, and for whom', async () => {
    const at = (ms: number): string => `{"queue": "slow", "runAt": ${Date.now() - ms}}`
    await admin.query(`SELECT enqueue('mail', '{}')`)
    expect(await look('lag')).toMatchObject([finding('ok', /the oldest due job waits for/, null)])
    expect(await look('workers')).toMatchObject([finding('warn', /none is alive/, /millrace worker/)])
    await admin.query(`SELECT enqueue('report', '{}', $1)`, [at(5 * minuteMs)])
    expect(await look('lag')).toMatchObject([
      finding(
        'warn',
        /due job of report in queue slow waits for 5 min; no worker is alive/,
        /start a worker/,
      ),
    ])
    await admin.query(`SELECT enqueue('report', '{}', '{"queue": "slow", "priority": 9, "delayMs": 1}')`)
    await admin.query(`UPDATE delayed SET run_at = run_at - 3600000`)
    expect(await look('lag')).toMatchObject([finding('bad', /report in queue slow waits for (60|61) min/)])
    await admin.query(`INSERT INTO queue VALUES ('slow', true)`)
    expect(await look('lag')).toMatchObject([finding('warn', /the queue is paused/, /resume/)])
  })
})
