import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { createMillrace, type ErrorCode, openEngine, QueueError } from 'millrace'
import { describe, expect, it } from 'vitest'
import type { BorderEnv } from './context.ts'
import { type ProblemDocument, problemKinds } from '../problem.ts'
import { problemResponder } from './problem-response.ts'

const millrace = createMillrace({ engine: openEngine('file::memory:') })
const troubles: unknown[] = []
millrace.on('trouble', trouble => troubles.push(trouble))

async function answer(error: Error): Promise<{ response: Response; problem: ProblemDocument }> {
  const app = new Hono<BorderEnv>()
  app.onError(problemResponder(millrace))
  app.get('/', () => {
    throw error
  })
  const response = await app.request('/')
  return { response, problem: (await response.json()) as ProblemDocument }
}

describe('a problem document', () => {
  it.each(Object.keys(problemKinds) as ErrorCode[])('for %s has the status of the table', async code => {
    const { response, problem } = await answer(new QueueError(code, 'what happened'))
    expect(response.status).toBe(problemKinds[code].status)
    expect(problem).toMatchObject({
      code,
      status: response.status,
      title: problemKinds[code].title,
      instance: '/',
    })
  })

  it.each(['unavailable', 'read-only', 'disk-full', 'queue-full'] as const)(
    'for %s says when to try again',
    async code => {
      const { response } = await answer(new QueueError(code, 'later', { retryAfterMs: 2_400 }))
      expect(response.headers.get('retry-after')).toBe('3')
      const { response: unsaid } = await answer(new QueueError(code, 'later'))
      expect(Number(unsaid.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    },
  )

  it.each([
    new QueueError('unavailable', 'database /srv/secret.db is locked'),
    new QueueError('corrupt', 'database /srv/secret.db is damaged'),
    new TypeError('can not read /srv/secret.db'),
    new HTTPException(500, { message: '/srv/secret.db' }),
  ])('keeps what %o says for the log', async error => {
    troubles.length = 0
    const { problem } = await answer(error)
    expect(JSON.stringify(problem)).not.toContain('secret')
    expect(troubles).toEqual([{ where: 'GET /', error }])
  })

  it.each([
    [401, 'unauthorized'],
    [404, 'route-not-found'],
    [413, 'payload-too-large'],
    [418, 'invalid-argument'],
    [502, 'internal'],
  ] as const)('is made of an HTTPException with status %d', async (status, code) => {
    expect((await answer(new HTTPException(status, { message: 'said' }))).problem.code).toBe(code)
  })
})
