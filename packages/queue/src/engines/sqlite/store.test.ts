import { spawn } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tempFolder } from '../../../test/support/temp-folder.ts'
import { QueueError } from '../../engine/errors.ts'
import { migrate, openStore, type Store } from './store.ts'

const newest = 4

function opened(path: string): Store {
  const store = openStore(path)
  onTestFinished(() => store.close())
  return store
}

function refusalOf(act: () => unknown): QueueError {
  try {
    act()
  } catch (error) {
    if (error instanceof QueueError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const fresh = (): string => join(tempFolder(), 'queue.db')
const tables = (store: Store): string[] =>
  store.all<{ name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`).map(row => row.name)

describe('a fresh file', () => {
  it('gets this version’s tables', () => {
    const path = fresh()
    const store = opened(path)
    expect(migrate(store, path, { apply: true })).toBe(newest)
    expect(tables(store)).toEqual(
      expect.arrayContaining(['millrace_job', 'millrace_history', 'millrace_migration']),
    )
    expect(store.all('SELECT version, name FROM millrace_migration')).toMatchObject([
      { version: 1, name: '0001_jobs.sql' },
      { version: 2, name: '0002_flows.sql' },
      { version: 3, name: '0003_search.sql' },
      { version: 4, name: '0004_views.sql' },
    ])
  })

  it('is made with its folders, which are for the owner only', () => {
    const folder = join(tempFolder(), 'a', 'b')
    opened(join(folder, 'queue.db'))
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it('writes ahead, and syncs before it acknowledges', () => {
    const store = opened(fresh())
    expect(store.get('PRAGMA journal_mode')).toMatchObject({ journal_mode: 'wal' })
    expect(store.get('PRAGMA synchronous')).toMatchObject({ synchronous: 2 })
  })

  it('is refused without leave to migrate, and stays empty', () => {
    const path = fresh()
    const store = opened(path)
    const refusal = refusalOf(() => migrate(store, path, { apply: false }))
    expect(refusal.code).toBe('version-mismatch')
    expect(refusal.message).toBe(`${path} has schema version 0 and needs ${newest}: run \`millrace migrate\``)
    expect(tables(store)).toEqual([])
  })
})

describe('a file that this version knows', () => {
  it('is opened again as it is, with or without leave to migrate', () => {
    const path = fresh()
    const store = opened(path)
    migrate(store, path, { apply: true })
    store.run(`INSERT INTO millrace_queue (queue, paused) VALUES ('mail', 1)`)
    const again = opened(path)
    expect(migrate(again, path, { apply: true })).toBe(newest)
    expect(migrate(again, path, { apply: false })).toBe(newest)
    expect(again.all('SELECT queue, paused FROM millrace_queue')).toMatchObject([
      { queue: 'mail', paused: 1 },
    ])
  })

  it('blocks the event loop only for moments once it is open: longer waits are not made in SQLite', () => {
    const path = fresh()
    const store = opened(path)
    migrate(store, path, { apply: true })
    expect(store.get<{ timeout: number }>('PRAGMA busy_timeout')?.timeout).toBeLessThanOrEqual(50)
  })
})

describe('a file of a newer version', () => {
  it.each([true, false])('is refused with what to do, and stays as it is (migrate: %s)', apply => {
    const path = fresh()
    const store = opened(path)
    migrate(store, path, { apply: true })
    store.run(`INSERT INTO millrace_migration (version, name) VALUES (9999, '9999_later.sql')`)
    const before = store.all('SELECT name, sql FROM sqlite_schema')
    const refusal = refusalOf(() => migrate(opened(path), path, { apply }))
    expect(refusal.code).toBe('version-mismatch')
    expect(refusal.message).toBe(
      `${path} has schema version 9999, made by a newer release; this one knows ${newest}. Upgrade millrace here, or use another file`,
    )
    expect(store.all('SELECT name, sql FROM sqlite_schema')).toEqual(before)
  })
})

describe('a file that is no database', () => {
  it.each([
    ['text', 'These are my notes.\n'.repeat(500)],
    ['a few bytes', 'hello'],
    ['an image', Buffer.from(`89504e470d0a1a0a${'00ff'.repeat(2_000)}`, 'hex')],
  ])('is refused and left as it is: %s', (_what, content) => {
    const path = fresh()
    writeFileSync(path, content)
    const refusal = refusalOf(() => openStore(path))
    expect(refusal.code).toBe('corrupt')
    expect(refusal.message).toContain(
      `database ${path} is not an SQLite database: check the path in MILLRACE_URL`,
    )
    expect(readFileSync(path)).toEqual(Buffer.from(content))
  })

  it.each<[string, () => string]>([
    ['a folder', tempFolder],
    [
      'below a file',
      () => {
        const file = join(tempFolder(), 'notes')
        writeFileSync(file, 'a file')
        return join(file, 'deep', 'queue.db')
      },
    ],
  ])('is refused: %s', (_what, make) => {
    const path = make()
    const refusal = refusalOf(() => openStore(path))
    expect(refusal.code).toBe('unavailable')
    expect(refusal.message).toContain(`database ${path} can not be opened`)
  })

  it('an empty file is a fresh one', () => {
    const path = fresh()
    writeFileSync(path, '')
    expect(migrate(opened(path), path, { apply: true })).toBe(newest)
  })
})

describe('a file of the application', () => {
  it('keeps its own tables, rows, indices and version', () => {
    const path = fresh()
    const app = new DatabaseSync(path)
    onTestFinished(() => app.close())
    app.exec(`CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT);
      CREATE INDEX customer_name ON customer (name);
      CREATE TABLE job (id INTEGER PRIMARY KEY, what TEXT);
      INSERT INTO customer (name) VALUES ('Ada'), ('Grace');
      INSERT INTO job (what) VALUES ('their own');
      PRAGMA user_version = 42;
      PRAGMA application_id = 7`)
    const store = opened(path)
    expect(migrate(store, path, { apply: true })).toBe(newest)
    expect(tables(store)).toEqual(expect.arrayContaining(['customer', 'job', 'millrace_job']))
    expect(app.prepare('SELECT name FROM customer ORDER BY id').all()).toMatchObject([
      { name: 'Ada' },
      { name: 'Grace' },
    ])
    expect(app.prepare('SELECT what FROM job').all()).toMatchObject([{ what: 'their own' }])
    expect(app.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 42 })
    expect(app.prepare('PRAGMA application_id').get()).toMatchObject({ application_id: 7 })
    app.exec(`INSERT INTO customer (name) VALUES ('Barbara')`)
  })
})

describe('a migration that fails', () => {
  it('leaves nothing behind, and works once the cause is gone', () => {
    const path = fresh()
    const store = opened(path)
    store.db.exec('CREATE TABLE millrace_history (theirs TEXT)')
    expect(() => migrate(store, path, { apply: true })).toThrow(/millrace_history already exists/)
    expect(tables(store)).toEqual(['millrace_history'])
    store.db.exec('DROP TABLE millrace_history')
    expect(migrate(store, path, { apply: true })).toBe(newest)
  })

  it('for want of space is told as that', () => {
    const path = fresh()
    const store = opened(path)
    store.db.exec('PRAGMA max_page_count = 3')
    expect(refusalOf(() => migrate(store, path, { apply: true })).code).toBe('disk-full')
    store.db.exec('PRAGMA max_page_count = 4294967294')
    expect(migrate(store, path, { apply: true })).toBe(newest)
  })
})

/** A process that opens and migrates each file that it is told, and answers its version or its refusal. */
function starter(): { ready: Promise<unknown>; start: (path: string) => Promise<string> } {
  const source = `
    import { createInterface } from 'node:readline'
    const { openStore, migrate } = await import(${JSON.stringify(import.meta.resolve('./store.ts'))})
    console.log('ready')
    for await (const path of createInterface({ input: process.stdin })) {
      try {
        const store = openStore(path)
        console.log(migrate(store, path, { apply: true }))
        store.close()
      } catch (error) {
        console.log(String(error.message).replaceAll('\\n', ' '))
      }
    }`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)
  const start = (path: string): Promise<string> => {
    child.stdin.write(`${path}\n`)
    return line()
  }
  return { ready: line(), start }
}

it('processes that start at once on a fresh file all find it migrated, once', async () => {
  const folder = tempFolder()
  const starters = [starter(), starter(), starter()]
  await Promise.all(starters.map(each => each.ready))
  for (let round = 0; round < 50; round++) {
    const path = join(folder, `${round}.db`)
    const versions = await Promise.all(starters.map(each => each.start(path)))
    expect(versions).toEqual(starters.map(() => String(newest)))
    expect(opened(path).all('SELECT version FROM millrace_migration')).toHaveLength(newest)
  }
})
