import { inspect } from 'node:util'
import { type AccessLogEntry, createApi, operations } from '@millrace/api'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { type AccessFixture, bearer, json, makeFixture, type Reply } from './access-fixture.ts'

const secrets = {
  admin: 'S3CRET-admin-token',
  processor: 'S3CRET-processor-key',
  session: 'S3CRET-session-secret',
  jwt: 'S3CRET-jwt-secret-of-more-than-32-characters',
  wrong: 'S3CRET-wrong-token',
  payload: 'S3CRET-payload',
  query: 'S3CRET-query',
}
const access = {
  adminTokens: [secrets.admin],
  processorKeys: [secrets.processor],
  sessionSecret: secrets.session,
  jwt: { secret: secrets.jwt },
}

describe('the access log', () => {
  it('has one entry a request, with what is safe to keep', async () => {
    await using fixture = await makeFixture(access)
    await fixture.ask(`/api/v1/jobs?tenant=${secrets.query}`, {
      headers: bearer(secrets.admin),
      from: '192.0.2.5',
    })
    expect(fixture.log).toEqual([
      {
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        requestId: expect.stringMatching(/^[\da-f-]{36}$/),
        method: 'GET',
        path: '/api/v1/jobs',
        status: 200,
        tookMs: expect.any(Number),
        principal: 'admin#1',
        address: '192.0.2.5',
      },
    ])
  })

  it.each<[string, Parameters<AccessFixture['ask']>, Partial<AccessLogEntry>]>([
    ['nobody', ['/api/v1/jobs'], { status: 401, principal: null }],
    ['an address that is not there', ['/nowhere', { headers: bearer(secrets.admin) }], { status: 404 }],
    [
      'what may not be done',
      ['/api/v1/jobs', { headers: { 'x-api-key': secrets.processor } }],
      { status: 403, principal: 'processor#1' },
    ],
    ['health', ['/health'], { status: 200, principal: null }],
  ])('tells of %s', async (_, asked, expected) => {
    await using fixture = await makeFixture(access)
    await fixture.ask(...asked)
    expect(fixture.log).toMatchObject([expected])
  })

  it('that can not be written makes no failure of what was done', async () => {
    await using fixture = await makeFixture(access)
    const accessLog = (): never => {
      throw new Error('no room')
    }
    const api = createApi({ millrace: fixture.millrace, access, accessLog })
    const response = await api.request('/api/v1/stats', { headers: bearer(secrets.admin) })
    expect(response.status).toBe(200)
    expect(fixture.troubles).toMatchObject([{ where: 'access log', error: { message: 'no room' } }])
  })
})

describe('a request id', () => {
  it.each([
    ['mine', 'order-7:retry.1', true],
    ['of 100 characters', 'x'.repeat(100), true],
    ['of 101 characters', 'x'.repeat(101), false],
    ['with a space', 'a b', false],
    ['with markup', '<b>', false],
    ['with nothing in it', '', false],
  ])('%s is taken over: %s, %s', async (_, said, isKept) => {
    await using fixture = await makeFixture(access)
    const { headers } = await fixture.ask('/health', { headers: { 'x-request-id': said } })
    const id = headers.get('x-request-id') ?? ''
    expect(id === said).toBe(isKept)
    expect(id).toMatch(/^[\w.:-]{1,100}$/)
    expect(fixture.log[0]?.requestId).toBe(id)
  })

  it('is another one each time', async () => {
    await using fixture = await makeFixture(access)
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await fixture.ask('/health')).headers.get('x-request-id')),
    )
    expect(new Set(ids).size).toBe(20)
  })
})

describe('secrets', () => {
  it('stand in no answer, no log and no trouble, whatever is asked', async () => {
    await using fixture = await makeFixture({
      ...access,
      authenticate: request => {
        if (request.headers.has('x-break')) throw new TypeError('the directory is away')
        return null
      },
    })
    const told: Reply[] = []
    const jwt = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secrets.jwt))
    const callers: Record<string, string>[] = [
      {},
      bearer(secrets.admin),
      bearer(secrets.wrong),
      bearer(jwt),
      bearer(`${jwt}x`),
      { authorization: `Basic ${secrets.admin}` },
      { 'x-api-key': secrets.processor },
      { 'x-api-key': secrets.wrong },
      { 'x-api-key': secrets.wrong, 'x-break': '1' },
      { cookie: `millrace_session=${secrets.wrong}` },
    ]
    const bodies = [
      `{"token":"${secrets.admin}"}`,
      `{"token":"${secrets.wrong}"}`,
      `{"token":${secrets.wrong}}`,
      `{"token":"${secrets.wrong}`,
      `{"token":"${secrets.wrong}"x}`,
      `{"token":["${secrets.wrong}"]}`,
      secrets.wrong,
      `{"type":"ECHO","payload":{"text":7,"x":"${secrets.payload}"}}`,
    ]
    for (const { method, path } of operations)
      for (const headers of callers)
        for (const body of method === 'get' ? [undefined] : bodies)
          told.push(
            await fixture.ask(
              `${path.replaceAll(/\{\w+\}/g, 'x')}?${method === 'get' ? `x=${secrets.query}` : ''}`,
              {
                method: method.toUpperCase(),
                headers: { ...headers, ...json },
                ...(body === undefined ? {} : { body }),
              },
            ),
          )
    const everything = inspect(
      [fixture.log, fixture.troubles, told.map(({ headers, text }) => [[...headers], text])],
      { depth: 10, maxArrayLength: null, maxStringLength: null },
    )
    expect(told.length).toBeGreaterThan(500)
    expect(fixture.troubles.length).toBeGreaterThan(0)
    expect(everything).not.toMatch(/S3CRET|hunter/)
    expect(everything).not.toContain(jwt)
  })
})
