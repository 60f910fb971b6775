import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tempFolder } from '../test/support/temp-folder.ts'
import type { Engine, NewJob } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { openEngine, type OpenEngineOptions } from './open-engine.ts'
import { VirtualClock } from './testing/virtual-clock.ts'

const job: NewJob = {
  id: '01900000-0000-7000-8000-000000000000',
  type: 'MAIL',
  queue: 'default',
  tenant: '',
  priority: 5,
  payloadJson: '{}',
  delayMs: 0,
  runAt: null,
  maxAttempts: 3,
  idempotency: null,
}

async function opened(url: string, options?: OpenEngineOptions): Promise<Engine> {
  const engine = openEngine(url, options)
  onTestFinished(() => engine.close())
  await engine.open()
  return engine
}

function refusalOf(url: string): QueueError {
  try {
    openEngine(url)
  } catch (error) {
    if (error instanceof QueueError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a file URL', () => {
  it.each<[string, (path: string) => string]>([
    ['a path from here', path => `file:${relative(process.cwd(), path)}`],
    ['an absolute path', path => `file:${path}`],
    ['an absolute URL', path => pathToFileURL(path).href],
    ['an absolute URL of this host', path => `file://localhost${path}`],
  ])('opens the file at %s', async (_what, url) => {
    const path = join(tempFolder(), 'queue.db')
    const engine = await opened(url(path))
    expect(await engine.health()).toMatchObject({ ok: true, engine: 'sqlite' })
    expect(existsSync(path)).toBe(true)
  })

  it.each([
    ['spaces', 'my queue.db'],
    ['a hash', 'queue#1.db'],
    ['a percent sign', 'queue%20.db'],
    ['accents', 'Schlänge.db'],
  ])('takes a path with %s as it is, and a URL as it is written', async (_what, name) => {
    const folder = tempFolder()
    await opened(`file:${join(folder, name)}`)
    await opened(pathToFileURL(join(folder, `url ${name}`)).href)
    expect([existsSync(join(folder, name)), existsSync(join(folder, `url ${name}`))]).toEqual([true, true])
  })

  it('makes the folders on the way', async () => {
    const path = join(tempFolder(), 'a', 'b', 'queue.db')
    await opened(`file:${path}`)
    expect(existsSync(path)).toBe(true)
  })
})

describe('a URL of memory', () => {
  it.each([':memory:', 'file::memory:'])('%s opens a store of its own', async url => {
    const [one, other] = [await opened(url), await opened(url)]
    await one.enqueue([job])
    expect((await one.get([job.id]))[0]?.type).toBe('MAIL')
    expect(await other.get([job.id])).toEqual([null])
    expect(existsSync(':memory:')).toBe(false)
  })
})

it('nothing is opened yet: the folder is made and the file looked at by open', async () => {
  const folder = tempFolder()
  openEngine(`file:${join(folder, 'deep', 'queue.db')}`)
  expect(existsSync(join(folder, 'deep'))).toBe(false)
  // A folder is no database, which only opening finds out.
  const engine = openEngine(`file:${folder}`)
  await expect(engine.open()).rejects.toMatchObject({ code: 'unavailable' })
})

it('the clock that it is given decides the time', async () => {
  const clock = new VirtualClock(Date.UTC(2031, 0, 1))
  const engine = await opened(':memory:', { clock })
  await engine.enqueue([job])
  expect((await engine.get([job.id]))[0]?.createdAt).toBe(Date.UTC(2031, 0, 1))
})

describe('a URL that names no engine', () => {
  it.each([
    ['nothing', '', /^'' is not an engine URL; use a file, such as file:/],
    ['a bare path', 'millrace.db', /^'millrace.db' is not an engine URL/],
    ['an absolute path', '/var/lib/millrace.db', /is not an engine URL/],
    ['a Windows path', 'C:\\millrace.db', /^no engine for 'C:'/],
    ['a Postgres URL that is none', 'postgres://localhost:port/app', /^the postgres URL can not be read/],
    [
      'Postgres over no connection',
      'postgres://localhost/app?connections=0',
      /^connections must be a whole number/,
    ],
    [
      'Postgres with other wake-ups',
      'postgres://localhost/app?wakeups=maybe',
      /^wakeups must be listen or poll/,
    ],
    ["one of Postgres' own schemas", 'postgres://localhost/app?schema=pg_catalog', /^schema must be a name/],
    ['Redis', 'redis://localhost:6379', /^no engine for 'redis:' in this release/],
    ['an unknown scheme', 'sqlite+x:queue.db', /^no engine for 'sqlite\+x:'/],
    ['no file', 'file:', /^'file:' names no file; use for example file:/],
    ['a folder', 'file:data/', /names no file/],
    ['the root', 'file:///', /names no file/],
    ['another host', 'file://server/queue.db', /is not a file URL; absolute paths are written file:\/\/\//],
    ['a broken escape', 'file:///a%2Fb.db', /is not a file URL/],
    ['options', 'file:queue.db?mode=ro', /options are not given in the URL/],
    ['options of memory', 'file::memory:?cache=shared', /options are not given in the URL/],
    ['options of an absolute URL', 'file:///var/lib/queue.db?mode=ro', /options are not given in the URL/],
    ['a fragment of an absolute URL', 'file:///var/lib/queue.db#one', /not given in the URL|should not/],
    ['NUL', 'file:queue\0.db', /holds characters that a file name should not/],
    ['NUL as an escape', 'file:///queue%00.db', /holds characters|is not a file URL/],
  ])('is refused: %s', (_what, url, says) => {
    const refusal = refusalOf(url)
    expect(refusal.code).toBe('invalid-argument')
    expect(refusal.message).toMatch(says)
  })
})
