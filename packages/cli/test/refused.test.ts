import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { config, type Ended, Workplace } from './millrace-process.ts'

let place: Workplace
const withConfig = ['--config', config]
const absent = '01900000-0000-7000-8000-000000000000'
beforeAll(async () => {
  place = await Workplace.make()
  await writeFile(join(place.folder, 'plain'), 'this is no database, however long one looks at it')
  await writeFile(join(place.folder, 'broken.config.mjs'), 'export default { modules: 7 }')
  await writeFile(join(place.folder, 'throwing.config.mjs'), 'throw new Error("no such setting")')
})
afterAll(() => place[Symbol.asyncDispose]())

/** One sentence on standard error, nothing on standard output, no stack. */
function expectSentence({ code, stdout, stderr }: Ended, exitCode: number, said: string | RegExp): void {
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' })
  expect(stderr).toMatch(/^millrace: [^\n]+\n$/)
  expect(stderr).toMatch(said)
  expect(stderr).not.toMatch(/^\s+at |Error:/m)
}

describe('what is not understood ends with 2', () => {
  it.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['enqueue', 'COUNT'], /missing required argument 'json'/],
    [['enqueue', 'COUNT', '{to:1}'], /the payload is not usable JSON/],
    [['enqueue', 'COUNT', '{"to":9007199254740993}'], /9007199254740993/],
    [['enqueue', 'COUNT', '{"__proto__":1}'], /__proto__/],
    [['enqueue', 'COUNT', '{}', '--priority', '11'], /--priority must be a whole number from 1 to 10/],
    [['enqueue', 'COUNT', '{}', '--run-at', 'tomorrow'], /--run-at must be ISO 8601/],
    [['enqueue', 'COUNT', '{}', '--run-at', '2999-01-01T00:00:00Z', '--delay', '1s'], /not both/],
    [['jobs', 'frobnicate'], /jobs has no command 'frobnicate'/],
    [['jobs', '--state', 'PENDING'], /--state must be of queued, /],
    [['jobs', '--from', 'yesterday'], /--from must be an instant/],
    [['jobs', '--limit', '0'], /--limit/],
    [['jobs', '--where', 'site'], /--where must be a name, = and a value/],
    [['jobs', '--where', '=x'], /--where must be a name, = and a value/],
    [['jobs', '--where', 'site=a', '--where', 'site=b'], /--where names site twice/],
    [['jobs', '--look', '5'], /give that, too/],
    [['jobs', '--search', 'x', '--look', '0'], /--look/],
    [['jobs', 'frobnicate', '--search', 'x'], /jobs has no command 'frobnicate'/],
    [['jobs', 'show'], /missing required argument 'id'/],
    [['drain', '--budget', 'long'], /--budget: 'long' is not a duration/],
    [['start', '--port', '70000'], /PORT must be a whole number/],
    [['start', '--concurrency', 'many'], /--concurrency/],
    [['start', '--drain-budget', 'long'], /--drain-budget: 'long' is not a duration: give /],
    [['start', '--drain-budget', '2d'], /--drain-budget must be whole milliseconds from 1ms to 24h/],
  ])('%j', async (args, said) => {
    expectSentence(await place.run(args), 2, said)
  })

  it('a bad PORT in the environment', async () => {
    expectSentence(await place.run(['start'], { env: { PORT: 'http' } }), 2, /PORT must be .* not 'http'/)
  })

  it('a bad MILLRACE_DRAIN_BUDGET in the environment', async () => {
    expectSentence(
      await place.run(['start'], { env: { MILLRACE_DRAIN_BUDGET: '0s' } }),
      2,
      /MILLRACE_DRAIN_BUDGET must be .* not '0s'/,
    )
  })

  it('nothing at all, with the help', async () => {
    const { code, stderr } = await place.run([])
    expect(code).toBe(2)
    expect(stderr).toContain('Usage: millrace')
  })
})

describe('what is refused ends with 1', () => {
  it.each([
    [
      ['enqueue', 'NOPE', '{}', ...withConfig],
      /no job type "NOPE" is registered here; known: ASK, COUNT, FAIL, IGNORE, PUBLISH/,
    ],
    [['enqueue', 'COUNT', '{}'], /There is no millrace\.config\.ts here/],
    [['enqueue', 'COUNT', '{"to":"x"}', ...withConfig], /to: /],
    [['enqueue', 'FAIL', '{"message":"a\\u0000b"}', ...withConfig], /NUL/],
    [['jobs', 'show', absent], /There is no job 01900000/],
    [['jobs', 'show', 'nope'], /"nope" is not a job id/],
    [['jobs', '--cursor', 'nonsense'], /cursor/],
    [['worker'], /nothing to work on/],
    [['demo'], /no demo to show/],
    [['start', '--config', 'absent.ts'], /There is no configuration at absent\.ts/],
    [['start', '--config', 'broken.config.mjs'], /must export by default/],
    [['start', '--config', 'throwing.config.mjs'], /can not be loaded: no such setting/],
    [['jobs', '--url', 'mysql://localhost'], /no engine for 'mysql:'/],
    [['jobs', '--url', 'postgres://127.0.0.1:1/x'], /can not be reached/],
    [['start', '--url', 'postgres://127.0.0.1:1/x'], /can not be reached/],
    [['jobs', '--url', 'nonsense'], /'nonsense' is not an engine URL/],
    [['jobs', '--url', 'file:plain'], /is not an SQLite database/],
    [['jobs', '--url', 'file:plain/millrace.db'], /a part of its path is a file/],
    [['start', '--url', 'file:plain/millrace.db'], /a part of its path is a file/],
    [['start', '--host', '192.0.2.1'], /192\.0\.2\.1 is not an address of this machine/],
    [
      ['start', '--drain-budget', '50s', ...withConfig],
      /drain: COUNT \(timeoutMs: 600000\), .*; raise --drain-budget or MILLRACE_DRAIN_BUDGET to /,
    ],
  ])('%j', async (args, said) => {
    expectSentence(await place.run(args), 1, said)
  })

  it('a busy port', async () => {
    const blocker = createServer()
    await new Promise<void>(resolve => blocker.listen(0, '127.0.0.1', resolve))
    const { port } = blocker.address() as { port: number }
    const ended = await place.run(['start'], { env: { PORT: String(port) } })
    blocker.close()
    expectSentence(ended, 1, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use`))
  })

  it('a folder for the token that is a file', async () => {
    await using other = await Workplace.make()
    await writeFile(join(other.folder, '.millrace'), '')
    expectSentence(await other.run(['start']), 1, /admin token/)
  })

  it('all ids of which one is not there', async () => {
    const { code, stdout } = await place.run(['jobs', 'cancel', absent])
    expect([code, stdout]).toEqual([1, `${absent}  is not here\n`])
  })
})

describe('with --json', () => {
  it.each([
    [['frobnicate', '--json'], 2, 'usage'],
    [['enqueue', 'COUNT', '{', '--json'], 2, 'usage'],
    [['start', '--port', 'x', '--json'], 2, 'usage'],
    [['jobs', 'show', absent, '--json'], 1, 'not-found'],
    [['enqueue', 'NOPE', '{}', '--json', ...withConfig], 1, 'unknown-type'],
    [['jobs', '--json', '--url', 'file:plain'], 1, 'corrupt'],
  ])('%j answers its error in JSON', async (args, exitCode, errorCode) => {
    const { code, stdout, stderr } = await place.run(args)
    expect({ code, stderr }).toEqual({ code: exitCode, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      error: { code: errorCode, message: expect.any(String), faults: expect.any(Array) },
    })
  })

  it('an invalid payload comes with the path of each fault', async () => {
    const { stdout } = await place.run(['enqueue', 'COUNT', '{"to":"x"}', '--json', ...withConfig])
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'invalid-payload', faults: [{ path: ['to'] }] })
  })
})

it('a Node that is too old is told so in one sentence', () => {
  const old = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })"
  const bin = new URL('../bin/millrace.js', import.meta.url).pathname
  const args = ['--import', `data:text/javascript,${encodeURIComponent(old)}`, bin, 'jobs']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([
    1,
    'millrace: Node 20.20.2 is too old; Millrace needs Node 22.13 or newer.\n',
  ])
})
