import { defineJob, fixed, handle, type Schema } from 'millrace'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { believe, startTestServer, type TestServer, token, who } from './sample-server.ts'

const told = defineJob({
  type: 'TOLD',
  payload: z.object({
    url: z.url(),
    pages: z.int().min(1).default(10),
    since: z.date().optional(),
  }),
  result: z.object({ found: z.string().transform(Number) }),
  queue: 'crawl',
  priority: 2,
  maxAttempts: 3,
  backoff: fixed(500, { jitter: 'full' }),
  timeoutMs: null,
  retention: { completed: { maxCount: 5 }, dead: { maxAgeMs: Number.POSITIVE_INFINITY } },
  aliases: ['TOLD_BEFORE'],
})
const silent = defineJob({ type: 'SILENT', payload: v.object({ a: v.string() }) })
const recursive: z.ZodType = z.lazy(() => z.object({ inner: recursive.optional() }))

/** A Standard Schema whose vendor answers what it likes. */
function foreign(convert: () => unknown): Schema {
  const jsonSchema = { input: convert, output: convert }
  const standard = { version: 1, vendor: 'foreign', validate: (value: unknown) => ({ value }), jsonSchema }
  return { '~standard': standard } as unknown as Schema
}
const circle: Record<string, unknown> = {}
circle['again'] = circle
const jobs = [
  told,
  silent,
  defineJob({ type: 'RECURSIVE', payload: recursive }),
  defineJob({
    type: 'THROWS',
    payload: foreign(() => {
      throw new Error('no such draft')
    }),
  }),
  defineJob({ type: 'CIRCLE', payload: foreign(() => circle) }),
  defineJob({ type: 'LIST', payload: foreign(() => []) }),
  defineJob({ type: 'NOTHING', payload: foreign(() => undefined) }),
  defineJob({ type: 'HUGE', payload: foreign(() => ({ description: 'x'.repeat(300_000) })) }),
  defineJob({ type: 'OWN', payload: foreign(() => ({ type: 'object' })) }),
]

let api: TestServer
beforeAll(async () => {
  const modules = [{ name: 'kinds', jobs, handlers: [handle(told, () => ({ found: '1' }))] }]
  const access = { adminTokens: [token], authenticate: believe }
  api = await startTestServer({ worker: false, modules, access })
})
afterAll(() => api[Symbol.asyncDispose]())

describe('job types over HTTP', () => {
  it('are all listed by name, whatever their schemas', async () => {
    const { status, body } = await api.ask('/api/v1/types')
    expect(status).toBe(200)
    expect(body.types.map(each => each.type)).toEqual(jobs.map(each => each.type).toSorted())
  })

  it('are listed without their schemas for who says so', async () => {
    const told = (await api.ask('/api/v1/types?schemas=false')).body.types.find(each => each.type === 'TOLD')
    expect(told?.payload).toEqual({ vendor: 'zod', jsonSchema: null, note: 'left out' })
    expect((await api.ask('/api/v1/types?schemas=perhaps')).status).toBe(400)
    const all = (await api.ask('/api/v1/types')).body.types.find(each => each.type === 'TOLD')
    expect(all?.payload.jsonSchema).toMatchObject({ type: 'object' })
  })

  it('tell their policy', async () => {
    const { body } = await api.ask('/api/v1/types/TOLD')
    expect(body).toMatchObject({
      type: 'TOLD',
      aliases: ['TOLD_BEFORE'],
      queue: 'crawl',
      priority: 2,
      maxAttempts: 3,
      timeoutMs: null,
      maxPayloadBytes: 2 ** 20,
      backoff: [
        { attempt: 1, leastMs: 0, mostMs: 500 },
        { attempt: 2, leastMs: 0, mostMs: 500 },
      ],
      retention: {
        completed: { maxAgeMs: null, maxCount: 5 },
        cancelled: { maxAgeMs: 7 * 86_400_000, maxCount: null },
        dead: { maxAgeMs: null, maxCount: null },
      },
    })
  })

  it('tell what enqueue takes and what result answers, as JSON Schema', async () => {
    const { payload, result } = (await api.ask('/api/v1/types/TOLD')).body
    expect(payload).toMatchObject({
      vendor: 'zod',
      note: null,
      jsonSchema: {
        type: 'object',
        properties: {
          url: { type: 'string', format: 'uri' },
          pages: { type: 'integer', minimum: 1, default: 10 },
          since: {},
        },
        required: ['url'],
      },
    })
    expect(result).toMatchObject({ vendor: 'zod', jsonSchema: { type: 'object', properties: { found: {} } } })
    expect((await api.ask('/api/v1/types/RECURSIVE')).body.payload).toMatchObject({
      vendor: 'zod',
      note: null,
    })
  })

  it('name the vendor whose schemas can not be told', async () => {
    const { payload, result } = (await api.ask('/api/v1/types/SILENT')).body
    expect(payload).toEqual({ vendor: 'valibot', jsonSchema: null, note: expect.stringContaining('valibot') })
    expect(result).toBeNull()
  })

  it.each([
    ['THROWS', 'no such draft'],
    ['CIRCLE', 'circular'],
    ['LIST', 'not an object'],
    ['NOTHING', 'none'],
    ['HUGE', '262144 characters'],
  ])('stay readable when the vendor answers badly: %s', async (type, note) => {
    const { status, body } = await api.ask(`/api/v1/types/${type}`)
    expect([status, body.payload]).toEqual([
      200,
      { vendor: 'foreign', jsonSchema: null, note: expect.stringContaining(note) },
    ])
  })

  it('take the JSON Schema of any vendor that has one', async () => {
    const { body } = await api.ask('/api/v1/types/OWN')
    expect(body.payload).toEqual({ vendor: 'foreign', jsonSchema: { type: 'object' }, note: null })
  })

  it('are found by an alias, and a name that is not registered is not found', async () => {
    expect((await api.ask('/api/v1/types/TOLD_BEFORE')).body.type).toBe('TOLD')
    expect(await api.ask('/api/v1/types/__proto__')).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    })
  })

  it('are for users too, and not for machines', async () => {
    expect((await api.ask('/api/v1/types', { headers: who('user/acme') })).status).toBe(200)
    expect((await api.ask('/api/v1/types', { headers: who('processor') })).status).toBe(403)
  })
})
