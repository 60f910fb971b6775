import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMillrace, defineJob, handle, type Millrace, openEngine } from 'millrace'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { sharedApplication, type SharedApplicationOptions } from '@millrace/api'
import { toNextRoutes } from '@millrace/api/next'

let folder: string
let url: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-shared-'))
  url = `file:${join(folder, 'millrace.db')}`
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const token = 'shared-test-token'
let names = 0

/** As a file would that a hot reload evaluates: each call makes its definitions and functions anew. */
function evaluate(says: string, options: Partial<SharedApplicationOptions> & { longest?: number } = {}) {
  const { longest = 10, ...rest } = options
  const say = defineJob({ type: 'SAY', payload: z.object({ text: z.string().max(longest) }) })
  const module = {
    name: 'sample',
    jobs: [say],
    handlers: [handle(say, ({ payload }) => `${says} ${payload.text}`)],
  }
  const application = sharedApplication({
    name: `test-${names}`,
    url,
    access: { adminTokens: [token] },
    modules: [module],
    ...rest,
  })
  onTestFinished(() => application.close())
  return { application, say }
}

const workers = async (millrace: Millrace) => (await millrace.workers()).map(each => each.worker)

describe('an application that is shared in its process', () => {
  beforeEach(() => void names++)

  it('opens at its first use, once for all who use it at the same time', async () => {
    const { application } = evaluate('first', { worker: {} })
    const [one, two, three] = await Promise.all([
      application.open(),
      application.millrace(),
      application.fetch(new Request('http://here/health')),
    ])
    expect(one.millrace).toBe(two)
    expect(three.status).toBe(200)
    expect(await workers(two)).toHaveLength(1)
  })

  it('stays the same when its file is evaluated again: one store, one worker, the newest handlers', async () => {
    const first = evaluate('old', { worker: {} })
    const millrace = await first.application.millrace()
    const before = await workers(millrace)
    const second = evaluate('new', { worker: {} })
    expect(await second.application.millrace()).toBe(millrace)
    const { id } = await millrace.enqueue(second.say, { text: 'words' })
    expect(await millrace.result(id)).toBe('new words')
    expect(await workers(millrace)).toEqual(before)
  })

  it('checks by the newest schema', async () => {
    const { application } = evaluate('old', { longest: 3 })
    const post = () =>
      application.fetch(
        new Request('http://here/api/v1/jobs', {
          method: 'POST',
          body: JSON.stringify({ type: 'SAY', payload: { text: 'long enough' } }),
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        }),
      )
    expect((await post()).status).toBe(422)
    evaluate('new', { longest: 30 })
    expect((await post()).status).toBe(201)
  })

  it('is replaced when its configuration has changed: the old worker has gone before the new one comes', async () => {
    const first = evaluate('old', { worker: {} })
    const before = await workers(await first.application.millrace())
    const second = evaluate('new', { worker: { concurrency: 2 } })
    const millrace = await second.application.millrace()
    const after = await workers(millrace)
    expect([before.length, after.length]).toEqual([1, 1])
    expect(after).not.toEqual(before)
    // Who still holds the old one uses the new one.
    expect(await first.application.millrace()).toBe(millrace)
  })

  it('answers 503 while it can not be opened, and opens when it can', async () => {
    const { application } = evaluate('first', { url: `file:${folder}/` })
    const answer = await application.fetch(new Request('http://here/api/v1/stats'))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await answer.json()).toMatchObject({ code: 'unavailable', instance: '/api/v1/stats' })
    evaluate('second')
    expect((await application.fetch(new Request('http://here/health'))).status).toBe(200)
  })

  it('can be closed, and is opened anew by the next use', async () => {
    const { application } = evaluate('first')
    const millrace = await application.millrace()
    await application.close()
    await application.close()
    const again = await application.millrace()
    expect(again).not.toBe(millrace)
    expect((await again.stats()).total.ready).toBe(0)
  })

  it('gives back what a drain was doing, and answers who polls, at once when it is closed', async () => {
    const begun = Promise.withResolvers<void>()
    const linger = defineJob({ type: 'LINGER', payload: z.object({}), timeoutMs: 60_000 })
    const module = {
      name: 'sample',
      jobs: [linger],
      handlers: [
        handle(linger, async ({ signal }) => {
          begun.resolve()
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        }),
      ],
    }
    const { application } = evaluate('first', { modules: [module], drain: { budgetMs: 60_000 } })
    const millrace = await application.millrace()
    const { id } = await millrace.enqueue(linger, {})
    const headers = { authorization: `Bearer ${token}` }
    const ask = (path: string, method: string): Promise<Response> =>
      application.fetch(new Request(`http://here/api/v1/${path}`, { method, headers }))
    const polling = ask(`jobs/${id}/result?waitMs=60000`, 'GET')
    const draining = ask('drain', 'POST')
    await begun.promise
    await application.close()
    expect(await (await draining).json()).toMatchObject({ released: 1, endedBy: 'stopped' })
    expect((await polling).status).toBe(202)
    const elsewhere = createMillrace({ engine: openEngine(url), jobs: [linger] })
    onTestFinished(() => elsewhere.close())
    expect(await elsewhere.get(id)).toMatchObject({ state: 'queued', attempt: 0, deaths: 0 })
  })

  it('is refused when it is made, with jobs that a drain could never finish', () => {
    expect(() => evaluate('first', { drain: { budgetMs: 10_000 } })).toThrow(/SAY \(timeoutMs: 600000\)/)
  })

  it('gives its running jobs back, unspent, when its process is asked to end, and lets it end', async () => {
    const child = spawn(process.execPath, [
      '--conditions=millrace-source',
      new URL('shared-child.ts', import.meta.url).pathname,
      url,
    ])
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    const id = said.toString().trim()
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
    const millrace = createMillrace({ engine: openEngine(url) })
    onTestFinished(() => millrace.close())
    expect(await millrace.get(id)).toMatchObject({ state: 'queued', attempt: 0, deaths: 0 })
    expect(await millrace.workers()).toEqual([])
  })
})

describe('routes for Next.js', () => {
  const echo = (request: Request) => new Response(`${request.method} ${request.url}`)

  it('answer every method of a route file by the same source', async () => {
    const routes = toNextRoutes(echo)
    expect(Object.keys(routes)).toEqual(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])
    for (const [method, handler] of Object.entries(routes))
      expect(await (await handler(new Request('http://here/api/v1/jobs?a=1', { method }))).text()).toBe(
        `${method} http://here/api/v1/jobs?a=1`,
      )
  })

  it.each([
    ['http://here/jobs/health', 'http://here/health'],
    ['http://here/jobs', 'http://here/'],
    ['http://here/jobsite/health', 'http://here/jobsite/health'],
  ])('take the prefix off %s', async (from, to) => {
    const { GET } = toNextRoutes(echo, { prefix: '/jobs' })
    expect(await (await GET(new Request(from))).text()).toBe(`GET ${to}`)
  })

  it('pass a body and the signal on from below a prefix', async () => {
    const leaving = new AbortController()
    const { POST } = toNextRoutes(
      async request => {
        leaving.abort()
        return new Response(`${await request.text()} ${request.signal.aborted}`)
      },
      { prefix: '/jobs' },
    )
    const request = new Request('http://here/jobs/x', {
      method: 'POST',
      body: 'text',
      signal: leaving.signal,
    })
    expect(await (await POST(request)).text()).toBe('text true')
  })
})
