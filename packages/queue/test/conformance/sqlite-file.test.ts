import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createMillrace, type Engine, openEngine } from '../../src/index.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { plainJob } from './runtime-stage.ts'
import { aJob, unknownId } from './samples.ts'

/** What only an engine on a file has to answer for. */
describe('sqlite: the file', () => {
  it.each([
    'mysql://localhost/app',
    'redis://localhost',
    'millrace.db',
    '',
    'file:',
    'file:folder/',
    'file:a?mode=ro',
  ])('is not found behind %j', url => {
    expect(() => openEngine(url)).toThrow(
      expect.objectContaining({ name: 'QueueError', code: 'invalid-argument' }),
    )
  })

  it('is not touched before it is opened', () => {
    const path = join(tempFolder(), 'queue.db')
    openEngine(`file:${path}`)
    expect(existsSync(path)).toBe(false)
  })

  it('is made, with its folder, when it is not there', async () => {
    const path = join(tempFolder(), 'deep', 'er', 'queue.db')
    const engine = closedAfter(openEngine(`file:${path}`))
    await engine.open()
    expect(existsSync(path)).toBe(true)
    expect(await engine.health()).toMatchObject({ ok: true, durability: 'durable' })
  })

  it('of another program is refused as corrupt, and left as it is', async () => {
    const path = join(tempFolder(), 'letter.txt')
    writeFileSync(path, 'Dear Ada,\n'.repeat(1_000))
    await expect(closedAfter(openEngine(`file:${path}`)).open()).rejects.toMatchObject({
      name: 'QueueError',
      code: 'corrupt',
      message: expect.stringContaining('letter.txt'),
    })
    expect(readFileSync(path, 'utf8')).toBe('Dear Ada,\n'.repeat(1_000))
  })

  it('whose pages are damaged is refused as corrupt', async () => {
    const path = join(tempFolder(), 'queue.db')
    const first = openEngine(`file:${path}`)
    await first.open()
    await first.enqueue([aJob({ id: unknownId })])
    await first.close()
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xff, 100, bytes.length))
    const engine = closedAfter(openEngine(`file:${path}`))
    const used = engine.open().then(() => engine.counts())
    await expect(used).rejects.toMatchObject({ name: 'QueueError', code: 'corrupt' })
  })

  it('that is a folder is refused', async () => {
    const path = join(tempFolder(), 'folder')
    mkdirSync(path)
    await expect(closedAfter(openEngine(`file:${path}`)).open()).rejects.toMatchObject({ name: 'QueueError' })
  })

  it('of an application takes the queue’s tables beside its own', async () => {
    const path = join(tempFolder(), 'app.db')
    const app = new DatabaseSync(path)
    onTestFinished(() => app.close())
    app.exec(`CREATE TABLE jobs (id TEXT); INSERT INTO jobs VALUES ('mine'); PRAGMA user_version = 7`)
    const engine = closedAfter(openEngine(`file:${path}`))
    await engine.open()
    await engine.enqueue([aJob({ id: unknownId })])
    expect(app.prepare('SELECT id FROM jobs').all()).toEqual([{ id: 'mine' }])
    expect(app.prepare('PRAGMA user_version').get()).toEqual({ user_version: 7 })
    const tables = app.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()
    for (const { name } of tables) expect(String(name)).toMatch(/^(millrace_|sqlite_|jobs$)/)
  })

  it('that was not migrated is refused when migrating is not wanted', async () => {
    const path = join(tempFolder(), 'queue.db')
    const engine = closedAfter(openEngine(`file:${path}`))
    await expect(engine.open({ migrate: false })).rejects.toMatchObject({ code: 'version-mismatch' })
  })

  it('of a newer release is refused, and left as it is', async () => {
    const path = join(tempFolder(), 'queue.db')
    const first = openEngine(`file:${path}`)
    await first.open()
    await first.close()
    const db = new DatabaseSync(path)
    db.exec(`INSERT INTO millrace_migration (version, name) VALUES (9999, '9999_from_the_future.sql')`)
    db.close()
    const bytes = readFileSync(path)
    await expect(closedAfter(openEngine(`file:${path}`)).open()).rejects.toMatchObject({
      code: 'version-mismatch',
      message: expect.stringContaining('9999'),
    })
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  it('can be opened by many at the same moment, and is made once', async () => {
    const url = `file:${join(tempFolder(), 'queue.db')}`
    const engines = Array.from({ length: 5 }, () => closedAfter(openEngine(url)))
    await Promise.all(engines.map(engine => engine.open()))
    const millraces = engines.map(engine => createMillrace({ engine }))
    await Promise.all(millraces.map(millrace => millrace.enqueue(plainJob(), {})))
    expect((await millraces[0]?.stats())?.total.ready).toBe(5)
  })

  it('in memory is a store of its own', async () => {
    const [one, two] = [closedAfter(openEngine('file::memory:')), closedAfter(openEngine(':memory:'))]
    for (const engine of [one, two]) await engine.open()
    await one.enqueue([aJob({ id: unknownId })])
    expect(await one.get([unknownId])).toMatchObject([{ id: unknownId }])
    expect(await two.get([unknownId])).toEqual([null])
  })

  it('is not held for a walk over all that a long flow has done: the pruner goes on where it was', async () => {
    const path = join(tempFolder(), 'queue.db')
    const engine = closedAfter(openEngine(`file:${path}`))
    await engine.open()
    const flow = `x'${unknownId.replaceAll('-', '')}'`
    const db = new DatabaseSync(path)
    onTestFinished(() => db.close())
    db.exec(`
      INSERT INTO millrace_kind (kind, queue, type) VALUES (1, 'default', 'mail');
      INSERT INTO millrace_counter (kind, phase, count) VALUES (1, 4, 100002);
      INSERT INTO millrace_flow (id, name, tenant, total, created_at) VALUES (${flow}, 'long', '', 100002, 0);
      WITH RECURSIVE done (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM done WHERE n < 100002)
      INSERT INTO millrace_history (id, kind, state, priority, run_at, created_at, attempt, max_attempts, epoch, deaths, redrives,
        finished_at, tenant, payload, flow)
      SELECT CAST(printf('%016d', n) AS BLOB), 1, 4, 5, 0, 0, 1, 1, 1, 0, 0, 0, '', '{}', iif(n = 100001, NULL, ${flow}) FROM done`)
    const rules = [{ type: 'mail', state: 'completed', maxAgeMs: 0 } as const]
    const pruned = async () => (await engine.prune({ rules, limit: 500 })).removed
    expect([await pruned(), await pruned(), await pruned()]).toEqual([0, 1, 0])
    db.exec('UPDATE millrace_flow SET finished_at = 1')
    expect([await pruned(), await pruned()]).toEqual([1, 500])
  })

  it('is left in one piece when it is closed: nothing waits in a journal', async () => {
    const path = join(tempFolder(), 'queue.db')
    const engine = openEngine(`file:${path}`)
    await engine.open()
    await engine.enqueue([aJob({ id: unknownId })])
    await engine.close()
    expect(existsSync(`${path}-wal`)).toBe(false)
  })
})

function closedAfter(engine: Engine): Engine {
  onTestFinished(() => engine.close())
  return engine
}
