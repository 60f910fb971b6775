import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMillrace, openEngine } from '../../packages/queue/src/index.ts'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { cronSecret, examples, plainEnvironment, type ServerProcess, startServer } from './server-process.ts'

const next = join(examples, 'node_modules/next/dist/bin/next')
// Within the examples' folder, where its packages are found; Next and the test change files in it.
const app = join(examples, '.work', 'next-app')
const secret = { authorization: `Bearer ${cronSecret}` }

/** A stream that does not end by itself, and whether its client's going away was heard of. */
const probe = `
  import { toNextRoutes } from '@millrace/api/next'
  let aborted = false
  export const { GET } = toNextRoutes(request => {
    if (new URL(request.url).searchParams.has('aborted')) return Response.json({ aborted })
    request.signal.addEventListener('abort', () => (aborted = true))
    const start = (stream: ReadableStreamDefaultController) => stream.enqueue(new TextEncoder().encode('data: first'))
    return new Response(new ReadableStream({ start }), { headers: { 'content-type': 'text/event-stream' } })
  })
`

beforeAll(() => {
  rmSync(app, { recursive: true, force: true })
  cpSync(join(examples, 'next-app'), app, { recursive: true })
  mkdirSync(join(app, 'app/probe'))
  writeFileSync(join(app, 'app/probe/route.ts'), probe)
})
afterAll(() => rmSync(app, { recursive: true, force: true }))

const start = (mode: string, env: Record<string, string> = {}): Promise<ServerProcess> =>
  startServer({ cwd: app, command: [process.execPath, next, mode, '-H', '127.0.0.1'], env })

/** Sends the page's form as a browser without JavaScript does. Answers the id of the job that the action enqueued. */
async function submit(server: ServerProcess, name: string): Promise<string> {
  const page = (await server.ask('/')).text
  const action = /name="(\$ACTION_ID_\w+)"/.exec(page)?.[1]
  if (!action) throw new Error(`the page has no action:\n${page}`)
  const form = new FormData()
  form.set(action, '')
  form.set('name', name)
  const answer = await fetch(server.url, { method: 'POST', body: form, redirect: 'manual' })
  const id = /[?&]id=([\w-]+)/.exec(answer.headers.get('location') ?? '')?.[1]
  if (!id) throw new Error(`the action answered ${answer.status} ${answer.headers.get('location')}`)
  return id
}

describe('the example next-app, built', () => {
  it('enqueues by a server action and by the API, works in the drains that a cron asks for, and streams', async () => {
    execFileSync(process.execPath, [next, 'build'], { cwd: app, env: plainEnvironment(), stdio: 'pipe' })
    await using server = await start('start')
    const id = await submit(server, 'Ada')
    expect((await server.ask(`/?id=${id}`)).text).toContain(`data-job="${id}">queued`)
    expect((await server.post('/api/v1/jobs', { type: 'GREET', payload: { name: 'Bob' } })).status).toBe(201)
    const refused = await server.ask('/api/cron/drain', { headers: { authorization: 'Bearer wrong' } })
    expect([refused.status, refused.body.code]).toEqual([401, 'unauthorized'])
    const drained = await server.ask('/api/cron/drain', { headers: secret })
    expect([drained.status, drained.body.processed]).toEqual([200, 2])
    expect((await server.ask(`/?id=${id}`)).text).toMatch(/completed(<!-- -->| )*Hello, Ada/)
    expect((await server.ask('/api/v1/drain')).body).toMatchObject({ pending: { ready: 0 } })

    const leaving = new AbortController()
    const stream = await fetch(`${server.url}/probe`, { signal: leaving.signal })
    const first = await (stream.body as ReadableStream<Uint8Array>).getReader().read()
    expect(Buffer.from(first.value ?? []).toString()).toBe('data: first')
    expect((await server.ask('/probe?aborted')).body).toEqual({ aborted: false })
    leaving.abort()
    await expect.poll(async () => (await server.ask('/probe?aborted')).body).toEqual({ aborted: true })
  })
})

describe('the example next-app, while it is written', () => {
  it('runs the newest handlers after a hot reload, in the one worker that it had', async () => {
    await using server = await start('dev', { WORKER: '1' })
    const millrace = createMillrace({ engine: openEngine(server.store) })
    onTestFinished(() => millrace.close())
    const workers = async () => (await millrace.workers()).map(each => each.worker)
    const greeting = async (name: string) => {
      const { body } = await server.post('/api/v1/jobs', { type: 'GREET', payload: { name } })
      return millrace.result(body.id as never, { timeoutMs: 30_000 })
    }
    expect(await greeting('Ada')).toBe('Hello, Ada')
    const before = await workers()
    expect(before).toHaveLength(1)

    const file = join(app, 'lib/queue.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('Hello,', 'Good morning,'))
    // The page's bundle has a copy of the file of its own.
    await submit(server, 'Bob')
    await expect.poll(() => greeting('Cy'), { timeout: 30_000 }).toBe('Good morning, Cy')
    expect(await workers()).toEqual(before)
  })
})
