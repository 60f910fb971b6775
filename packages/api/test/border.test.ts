import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi, problemKinds } from '@millrace/api'
import { sample, startTestServer, type TestServer, token } from './sample-server.ts'

let api: TestServer
const troubles: { where: string; error: unknown }[] = []
beforeAll(async () => {
  const routes = new Hono()
    .get('/hello', c => c.text('hello'))
    .get('/broken', () => {
      throw new Error('secret detail in /etc/passwd')
    })
  api = await startTestServer({ worker: false, modules: [{ ...sample(), routes: () => routes }] })
  api.server.millrace.on('trouble', trouble => troubles.push(trouble))
})
afterAll(() => api[Symbol.asyncDispose]())

describe('the admin token', () => {
  const protectedPaths = ['/api/v1/jobs', '/api/v1/stats', '/sample/hello', '/api', '/anything']

  it.each(protectedPaths)('is needed for %s', async path => {
    const { status, body, headers } = await api.ask(path, { headers: { authorization: '' } })
    expect([status, body.code]).toEqual([401, 'unauthorized'])
    expect(headers.get('www-authenticate')).toContain('Bearer')
  })

  it.each(['Bearer wrong', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`, token])(
    'is not %j',
    async authorization => {
      expect((await api.ask('/api/v1/jobs', { headers: { authorization } })).status).toBe(401)
    },
  )

  it('is needed before a body is looked at', async () => {
    const { status } = await api.post('/api/v1/jobs', 'not json', { authorization: 'Bearer wrong' })
    expect(status).toBe(401)
  })

  it.each([null, ''])('%j closes the API for everybody', async adminToken => {
    const closed = createApi({
      millrace: api.server.millrace,
      access: { adminTokens: adminToken === null ? [] : [adminToken] },
    })
    for (const authorization of ['', 'Bearer ', 'Bearer null', 'Bearer undefined']) {
      const response = await closed.request('/api/v1/jobs', { headers: { authorization } })
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ code: 'not-configured' })
    }
    expect((await closed.request('/health')).status).toBe(200)
  })
})

describe('GET /health', () => {
  it('needs no token and tells nothing private', async () => {
    const { status, body } = await api.ask('/health', { headers: { authorization: '' } })
    expect(status).toBe(200)
    expect(body).toEqual({
      ok: true,
      engine: 'sqlite',
      durability: 'durable',
      schemaVersion: expect.any(Number),
    })
  })

  it('tells the notes to the admin', async () => {
    expect((await api.ask('/health')).body).toHaveProperty('notes')
  })
})

describe('methods', () => {
  it('answers HEAD like GET without a body', async () => {
    const { status, body } = await api.ask('/api/v1/jobs', { method: 'HEAD' })
    expect([status, body]).toEqual([200, ''])
  })

  it('answers OPTIONS with what is allowed, and no CORS', async () => {
    const { status, headers } = await api.ask('/api/v1/jobs', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
    })
    expect(status).toBe(204)
    expect(headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('answers 405 with what is allowed', async () => {
    const { status, headers, body } = await api.ask('/api/v1/stats', { method: 'DELETE' })
    expect([status, body.code]).toEqual([405, 'method-not-allowed'])
    expect(headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  })

  it('answers 404 for an address that is not there', async () => {
    const { status, body } = await api.ask('/api/v2/jobs')
    expect([status, body.code, body.instance]).toEqual([404, 'route-not-found', '/api/v2/jobs'])
  })
})

describe('every answer', () => {
  it.each(['/', '/health', '/api/v1/jobs', '/api/v1/jobs/nope', '/nowhere'])(
    'of %s has security headers',
    async path => {
      const { headers } = await api.ask(path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cache-control')).toMatch(/^(no-store|private, no-cache)$/)
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    },
  )
})

describe('an answer that is asked for again', () => {
  it('is a 304 that depends on who asks, as the 200 did', async () => {
    const path = '/api/v1/stats'
    const etag = (await api.ask(path)).headers.get('etag') ?? ''
    const again = await api.ask(path, { headers: { 'if-none-match': `"other", ${etag}` } })
    expect([again.status, again.body, again.headers.get('etag')]).toEqual([304, '', etag])
    expect(again.headers.get('vary')).toBe('authorization, cookie, x-api-key')
    expect((await api.ask(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })
})

describe('a module', () => {
  it('answers under its name', async () => {
    expect((await api.ask('/sample/hello')).body).toBe('hello')
  })

  it('that breaks gives a 500 without its secrets, and trouble', async () => {
    const { status, body } = await api.ask('/sample/broken')
    expect([status, body.code]).toEqual([500, 'internal'])
    expect(JSON.stringify(body)).not.toContain('passwd')
    expect(troubles.at(-1)).toMatchObject({ where: 'GET /sample/broken', error: { message: /passwd/ } })
  })

  it.each(['api', 'health', 'Upper', 'a/b', ''])('can not be named %j', name => {
    const modules = [{ ...sample(), name }]
    expect(() =>
      createApi({ millrace: api.server.millrace, access: { adminTokens: [token] }, modules }),
    ).toThrow(/module's name/)
  })
})

describe('the problem type', () => {
  it.each(Object.keys(problemKinds))('/problems/%s is explained without a token', async code => {
    const { status, body } = await api.ask(`/problems/${code}`, { headers: { authorization: '' } })
    expect(status).toBe(200)
    expect(body).toMatchObject({ code, title: expect.any(String), status: expect.any(Number) })
  })
})
