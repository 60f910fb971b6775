import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  createMillrace,
  createWorker,
  defineJob,
  handle,
  openEngine,
  pendingMigrations,
} from '../../src/index.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { z } from 'zod'

const job = defineJob({ type: 'MIGRATED', payload: z.object({ n: z.number() }) })

describe('postgres: migrations', () => {
  let server: PostgresServer
  let admin: Client
  let url: string
  let databases = 0

  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    const name = `migrations_${++databases}`
    await server.createDatabase(name)
    url = server.url(name)
    admin = new Client(url)
    await admin.connect()
    onTestFinished(() => admin.end())
  })

  it('are applied once by many who start at the same moment', async () => {
    const engines = Array.from({ length: 6 }, () => openEngine(url))
    onTestFinished(async () => void (await Promise.all(engines.map(engine => engine.close()))))
    await Promise.all(engines.map(engine => engine.open()))
    const { rows } = await admin.query('SELECT version FROM millrace.migration ORDER BY version')
    expect(rows.length).toBeGreaterThan(0)
    expect(new Set(rows.map(row => row.version)).size).toBe(rows.length)
    const { rows: stores } = await admin.query('SELECT store FROM millrace.meta')
    expect(stores).toHaveLength(1)
  })

  it('that are told apart are what a person can run by hand, one after the other', async () => {
    const pending = await pendingMigrations(url)
    expect(pending.map(({ version }) => version)).toEqual(pending.map((_, index) => index + 1))
    for (const { sql } of pending) await admin.query(sql)
    expect(await pendingMigrations(url)).toEqual([])
    const millrace = opened(url)
    expect(await millrace.enqueue(job, { n: 1 })).toMatchObject({ duplicate: false })
  })

  it('that somebody else is to apply are asked for', async () => {
    await expect(closing(openEngine(url)).open({ migrate: false })).rejects.toMatchObject({
      code: 'version-mismatch',
      message: expect.stringContaining('millrace migrate'),
    })
    const { rows } = await admin.query(`SELECT to_regnamespace('millrace') AS schema`)
    expect(rows).toEqual([{ schema: null }])
  })

  it('of a newer release that only add are no obstacle, to those who run and to those who start', async () => {
    const running = opened(url)
    const worker = createWorker(running, [handle(job, () => {})])
    await worker.start()
    onTestFinished(() => worker.stop())
    await admin.query(`ALTER TABLE millrace.job ADD COLUMN colour text;
      INSERT INTO millrace.migration (version, name, oldest) VALUES (9999, '9999_colour.sql', 1)`)
    const { id } = await opened(url).enqueue(job, { n: 1 })
    await expect(running.result(id, { timeoutMs: 20_000 })).resolves.toBeDefined()
  })

  it('of a newer release that take something away are refused with a sentence, and nothing is touched', async () => {
    await opened(url).open()
    await admin.query(
      `INSERT INTO millrace.migration (version, name, oldest) VALUES (9999, '9999_contract.sql', 9999)`,
    )
    await expect(closing(openEngine(url)).open()).rejects.toMatchObject({
      code: 'version-mismatch',
      message: expect.stringMatching(/version 9999, made by a newer release.*Upgrade millrace/),
    })
  })

  it('are undone as a whole when one fails', async () => {
    await admin.query('CREATE SCHEMA millrace; CREATE TABLE millrace.tick (mine int4)')
    await expect(closing(openEngine(url)).open()).rejects.toThrow(/tick/)
    const { rows } = await admin.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'millrace'`)
    expect(rows).toEqual([{ tablename: 'tick' }])
  })
})

function closing<Closable extends { close(): Promise<void> }>(closable: Closable): Closable {
  onTestFinished(() => closable.close())
  return closable
}

function opened(url: string) {
  return closing(createMillrace({ engine: openEngine(url), jobs: [job] }))
}
