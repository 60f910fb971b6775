import { createClient } from '@millrace/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as sample from './sample-application.ts'
import {
  adminToken,
  browserOf,
  enqueueFlow,
  type SampleServer,
  startSample,
  viewerToken,
} from './sample-application.ts'

const nowhere = '01900000-0000-7000-8000-000000000000'
const later = '2999-01-01T00:00:00Z'

describe('the life of jobs, by the client over a real server', () => {
  let sampleServer: SampleServer
  const clientFor = (token: string) => createClient<typeof sample>({ url: sampleServer.url, token })
  type SampleClient = ReturnType<typeof clientFor>
  let client: SampleClient
  beforeAll(async () => {
    sampleServer = await startSample()
    client = clientFor(adminToken)
  })
  afterAll(() => sampleServer[Symbol.asyncDispose]())

  describe('enqueueing', () => {
    it('answers the id of a new job, and its result when it has run', async () => {
      const job = await client.enqueueJob({ body: { type: 'GREET', payload: { name: 'Ada' } } })
      expect(job).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), duplicate: false })
      const { text } = await client.waitForResult(job)
      expect(text).toBe('Hello, Ada')
    })

    it('enqueues once for one idempotency key', async () => {
      const call = { body: { type: 'GREET', payload: { name: 'Eve' } }, idempotencyKey: 'greet-eve' } as const
      const first = await client.enqueueJob(call)
      expect(await client.enqueueJob(call)).toEqual({ id: first.id, duplicate: true })
    })

    it('refuses other work under a key that was used', async () => {
      const idempotencyKey = 'greet-once'
      await client.enqueueJob({ body: { type: 'GREET', payload: { name: 'a' } }, idempotencyKey })
      const other = client.enqueueJob({ body: { type: 'GREET', payload: { name: 'b' } }, idempotencyKey })
      await expect(other).rejects.toMatchObject({ code: 'idempotency-conflict', status: 409 })
    })

    it('says by path what is wrong with a payload', async () => {
      const payload = { name: 'Ada', links: [{ url: 'https://a.example' }, { url: 'no url' }] }
      await expect(client.enqueueJob({ body: { type: 'GREET', payload } })).rejects.toMatchObject({
        name: 'MillraceProblem',
        code: 'invalid-payload',
        status: 422,
        faults: [{ path: ['payload', 'links', 1, 'url'] }],
        requestId: expect.any(String),
      })
    })

    it('takes a batch, each job with its own answer', async () => {
      const { enqueued, refused, results } = await client.enqueueJobs({
        body: {
          jobs: [
            { type: 'GREET', payload: { name: 'one' }, idempotencyKey: 'one' },
            { type: 'PICK', payload: { fruit: 'apple' }, priority: 1, runAt: later },
            { type: 'GREET', payload: { name: 'bad', links: [{ url: 'bad' }] } },
          ],
        },
      })
      expect({ enqueued, refused }).toEqual({ enqueued: 2, refused: 1 })
      expect(results[2]).toMatchObject({ code: 'invalid-payload' })
    })
  })

  describe('reading', () => {
    it('walks over a list, page by page', async () => {
      const jobs = Array.from({ length: 5 }, (_, n) => ({
        type: 'GREET' as const,
        payload: { name: `${n}` },
        queue: 'paged',
        runAt: later,
      }))
      await client.enqueueJobs({ body: { jobs } })
      const query = { queue: ['paged'], state: ['queued' as const], limit: 2 }
      const page = await client.listJobs({ query })
      expect(page.jobs).toHaveLength(2)
      const seen = new Set<string>()
      for await (const job of client.each.listJobs({ query })) seen.add(job.id)
      expect(seen.size).toBe(5)
    })

    it('answers a job whole', async () => {
      const { id } = await client.enqueueJob({ body: { type: 'GREET', payload: { name: 'Ada' } } })
      await client.waitForResult(id)
      expect(await client.getJob({ id })).toMatchObject({
        state: 'completed',
        payload: { name: 'Ada' },
        result: { text: 'Hello, Ada' },
        attempts: [{ attempt: 1, outcome: 'completed' }],
      })
    })

    it('tells status and headers apart where they matter', async () => {
      const { id } = await client.enqueueJob({
        body: { type: 'GREET', payload: { name: 'Ada' }, runAt: later },
      })
      const reply = await client.replies.jobResult({ id })
      expect(reply).toMatchObject({ status: 202, body: { id, state: 'queued' } })
      expect(reply.headers.get('x-request-id')).toBeTruthy()
    })

    it('says why a job does not run', async () => {
      const { id } = await client.enqueueJob({
        body: { type: 'GREET', payload: { name: 'Ada' }, runAt: later },
      })
      expect((await client.whyJob({ id })).cause).toBe('not-due')
    })

    it('counts', async () => {
      const { total, byType } = await client.readStats()
      expect(total.completed).toBeGreaterThan(0)
      expect(byType.GREET?.completed).toBeGreaterThan(0)
    })

    it('reads the health without a token', async () => {
      expect(await createClient({ url: sampleServer.url }).readHealth()).toMatchObject({ ok: true })
    })
  })

  describe('acting', () => {
    it('cancels a waiting job, which has no result then', async () => {
      const job = await client.enqueueJob({
        body: { type: 'PICK', payload: { fruit: 'apple' }, runAt: later },
      })
      const { outcome } = await client.cancelJob({ id: job.id, body: { reason: 'not hungry' } })
      expect(outcome).toBe('cancelled')
      await expect(client.waitForResult(job)).rejects.toMatchObject({
        code: 'job-cancelled',
        detail: expect.stringContaining('not hungry'),
      })
    })

    it('retries a dead job with another payload, as a new job', async () => {
      const dead = await client.enqueueJob({ body: { type: 'PICK', payload: { fruit: 'stone' } } })
      await expect(client.waitForResult(dead)).rejects.toMatchObject({
        code: 'job-dead',
        cause: { name: 'RangeError', message: 'not a fruit' },
      })
      const { groups } = await client.listDeadLetters({ query: { type: ['PICK'] } })
      expect(groups).toMatchObject([{ type: 'PICK', ids: [dead.id] }])
      const reply = await client.replies.retryJob({ id: dead.id, body: { payload: { fruit: 'apple' } } })
      expect(reply.status).toBe(201)
      expect(await client.waitForResult(reply.body.id)).toEqual({ picked: 'apple' })
    })

    it('sends the signal that a job waits for', async () => {
      const job = await client.enqueueJob({ body: { type: 'APPROVE', payload: { order: 7 } } })
      await client.sendSignal({ id: job.id, body: { name: 'approved', payload: { by: 'Grace' } } })
      expect((await client.waitForResult(job)).by).toBe('Grace')
    })

    it('changes and deletes a job that waits', async () => {
      const { id } = await client.enqueueJob({
        body: { type: 'GREET', payload: { name: 'x' }, runAt: later },
      })
      expect(await client.editJob({ id, body: { priority: 1 } })).toMatchObject({ priority: 1 })
      expect(await client.removeJob({ id })).toBeUndefined()
      await expect(client.getJob({ id })).rejects.toMatchObject({ code: 'not-found', status: 404 })
    })

    it('follows a flow, and cancels one', async () => {
      const id = await enqueueFlow(sampleServer.server, 'apple')
      await sampleServer.server.millrace.flows.finished(id)
      expect(await client.getFlow({ id })).toMatchObject({ state: 'completed', total: 2, completed: 2 })
      const names: string[] = []
      for await (const node of client.each.flowNodes({ id, query: { limit: 1 } })) names.push(node.name)
      expect(names).toEqual(['pick', 'greet'])
      expect(await client.cancelFlow({ id })).toMatchObject({ outcome: 'already-finished' })
    })

    it('gives up waiting when the time is up', async () => {
      const job = await client.enqueueJob({ body: { type: 'APPROVE', payload: { order: 8 } } })
      await expect(client.waitForResult(job, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'timed-out' })
    })

    it('stops waiting at once when its signal fires', async () => {
      const job = await client.enqueueJob({ body: { type: 'APPROVE', payload: { order: 9 } } })
      const controller = new AbortController()
      const waiting = client.waitForResult(job, { signal: controller.signal })
      controller.abort(new Error('gone home'))
      await expect(waiting).rejects.toThrow('gone home')
    })
  })

  describe('who asks', () => {
    it('is refused with a wrong token', async () => {
      await expect(clientFor('wrong').listJobs()).rejects.toMatchObject({ code: 'unauthorized', status: 401 })
    })

    it('is refused what the role does not allow', async () => {
      const enqueueing = clientFor(viewerToken).enqueueJob({
        body: { type: 'GREET', payload: { name: 'x' } },
      })
      await expect(enqueueing).rejects.toMatchObject({ code: 'forbidden', status: 403 })
    })

    it('sees nothing of another tenant', async () => {
      const { id } = await clientFor('acme-token').enqueueJob({
        body: { type: 'GREET', payload: { name: 'Ada' } },
      })
      const other = clientFor('other-token')
      await expect(other.getJob({ id })).rejects.toMatchObject({ code: 'not-found' })
      await expect(other.getJob({ id: nowhere })).rejects.toMatchObject({ code: 'not-found' })
      await expect(other.cancelJob({ id })).rejects.toMatchObject({ code: 'not-found' })
      expect((await other.listJobs()).jobs).toEqual([])
    })

    it('logs in and out as a browser does, with the CSRF token of the session', async () => {
      const { url } = sampleServer
      const browser = browserOf(url)
      const page = createClient<typeof sample>({ url, session: true, fetch: browser })
      expect(await page.login({ body: { token: adminToken } })).toMatchObject({ role: 'admin' })
      const body = { type: 'GREET', payload: { name: 'Ada' }, runAt: later } as const
      const { id } = await page.enqueueJob({ body })
      const reloaded = createClient({ url, session: true, fetch: browser })
      expect(await reloaded.cancelJob({ id })).toMatchObject({ outcome: 'cancelled' })
      await page.logout()
      await expect(page.listJobs()).rejects.toMatchObject({ code: 'unauthorized' })
    })

    it('goes on in a page that was open when another one logged in', async () => {
      const { url } = sampleServer
      const browser = browserOf(url)
      const [page, other] = [1, 2].map(() => createClient({ url, session: true, fetch: browser }))
      const change = { body: { type: 'GREET', payload: { name: 'Ada' }, queue: 'pages', runAt: later } }
      await page?.login({ body: { token: adminToken } })
      await page?.enqueueJob(change)
      await other?.login({ body: { token: adminToken } })
      await page?.enqueueJob(change)
      expect((await client.listJobs({ query: { queue: ['pages'] } })).jobs).toHaveLength(2)
    })

    it('is refused in such a page what whoever has logged in may not do', async () => {
      const { url } = sampleServer
      const browser = browserOf(url)
      const [page, other] = [1, 2].map(() => createClient({ url, session: true, fetch: browser }))
      await page?.login({ body: { token: adminToken } })
      await other?.login({ body: { token: viewerToken } })
      const enqueueing = page?.enqueueJob({ body: { type: 'GREET', payload: { name: 'Ada' } } })
      await expect(enqueueing).rejects.toMatchObject({ code: 'forbidden' })
    })
  })
})
