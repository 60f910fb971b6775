import type * as Crypto from 'node:crypto'
import { accessFromEnvironment, type AccessOptions, type Principal } from '@millrace/api'
import { Hono } from 'hono'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Secrets } from '../src/access/secrets.ts'
import { bearer, makeFixture } from './access-fixture.ts'

const path = '/api/v1/session'
const spied = vi.hoisted(() => ({ compared: 0 }))

vi.mock('node:crypto', async original => {
  const crypto = await original<typeof Crypto>()
  const timingSafeEqual: typeof crypto.timingSafeEqual = (a, b) => {
    spied.compared++
    return crypto.timingSafeEqual(a, b)
  }
  return { ...crypto, default: { ...crypto, timingSafeEqual }, timingSafeEqual }
})

afterEach(() => {
  vi.restoreAllMocks()
})

describe('secrets', () => {
  it.each(['first', 'second', 'third', 'none', '', 'x'.repeat(10_000)])(
    'are all compared, whichever matches: %.10s',
    presented => {
      const secrets = new Secrets().add('admin', ['first', 'second']).add('viewer', ['third'])
      spied.compared = 0
      secrets.find(presented)
      expect(spied.compared).toBe(3)
    },
  )

  it('are found through this comparison alone', async () => {
    await using fixture = await makeFixture({ adminTokens: ['one', 'two'], cronSecrets: ['three'] })
    const find = vi.spyOn(Secrets.prototype, 'find')
    spied.compared = 0
    expect((await fixture.ask(path, { headers: bearer('one') })).status).toBe(200)
    expect(find).toHaveBeenCalledExactlyOnceWith('one')
    expect(spied.compared).toBe(3)
  })

  it('may be several of a role, so that one is rotated in before the other goes', async () => {
    await using fixture = await makeFixture({ adminTokens: ['new', 'old'], operatorTokens: ['op-1', 'op-2'] })
    const name = async (token: string) => (await fixture.ask(path, { headers: bearer(token) })).body.name
    expect(await name('new')).toBe('admin#1')
    expect(await name('old')).toBe('admin#2')
    expect(await name('op-2')).toBe('operator#2')
  })

  it.each<[string, AccessOptions]>([
    ['none', {}],
    [
      'empty',
      { adminTokens: [''], operatorTokens: [''], viewerTokens: [''], cronSecrets: [''], processorKeys: [''] },
    ],
    ['an empty session secret', { sessionSecret: '' }],
    ['an empty environment', accessFromEnvironment({})],
    [
      'variables set to nothing',
      accessFromEnvironment({ ADMIN_TOKEN: '', CRON_SECRET: ' , ', MILLRACE_JWT_SECRET: '' }),
    ],
  ])('that are %s open nothing', async (_, access) => {
    await using fixture = await makeFixture(access)
    const empty: Record<string, string>[] = [
      {},
      { authorization: '' },
      { authorization: 'Bearer ' },
      { authorization: 'Bearer undefined' },
      { authorization: 'Bearer null' },
      { 'x-api-key': '' },
      { 'x-api-key': 'undefined' },
      { cookie: 'millrace_session=' },
    ]
    for (const headers of empty) {
      const { status, body } = await fixture.ask(path, { headers })
      expect([status, body.code]).toEqual([403, 'not-configured'])
    }
  })

  it('of one kind do not open by way of another', async () => {
    await using fixture = await makeFixture({ adminTokens: ['token'], processorKeys: ['key'] })
    expect((await fixture.ask(path, { headers: { 'x-api-key': 'token' } })).status).toBe(401)
    expect((await fixture.ask(path, { headers: bearer('key') })).status).toBe(401)
    // What is wrong is not made good by what would be right beside it.
    const both = { ...bearer('wrong'), 'x-api-key': 'key' }
    expect((await fixture.ask(path, { headers: both })).status).toBe(401)
  })

  it('come from the environment, several with commas', async () => {
    const env = { ADMIN_TOKEN: 'a1, a2', VIEWER_TOKEN: 'v', JOB_PROCESSOR_API_KEY: 'p', CRON_SECRET: 'c' }
    await using fixture = await makeFixture(accessFromEnvironment(env))
    const role = async (headers: Record<string, string>) => (await fixture.ask(path, { headers })).body.role
    expect(await role(bearer('a2'))).toBe('admin')
    expect(await role(bearer('v'))).toBe('viewer')
    expect(await role(bearer('c'))).toBe('cron')
    expect(await role({ 'x-api-key': 'p' })).toBe('processor')
  })

  it('do not stand beside a number of proxies that is none', async () => {
    const access = accessFromEnvironment({ ADMIN_TOKEN: 'a', MILLRACE_TRUSTED_PROXIES: 'one' })
    await expect(makeFixture(access)).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})

describe("the application's own authentication", () => {
  const answering = (authenticate: () => unknown): AccessOptions => ({
    adminTokens: ['admin'],
    authenticate: authenticate as () => Principal,
  })

  it.each([null, undefined])('that answers %s lets nobody in', async nobody => {
    await using fixture = await makeFixture(answering(() => nobody))
    expect((await fixture.ask(path)).status).toBe(401)
    expect((await fixture.ask(path, { headers: bearer('theirs') })).status).toBe(401)
    expect((await fixture.ask(path, { headers: bearer('admin') })).status).toBe(200)
  })

  it('that knows a browser by its cookie is not made to change anything by a page of another origin', async () => {
    await using fixture = await makeFixture(answering(() => ({ name: 'ada', role: 'admin', tenant: null })))
    const cookie = { cookie: 'sid=ada' }
    const pause = async (headers: Record<string, string | undefined>): Promise<number> =>
      (
        await fixture.ask('/api/v1/queues/default/pause', {
          method: 'POST',
          headers: headers as Record<string, string>,
        })
      ).status
    for (const strange of [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.test' },
      // Which a browser sends by itself.
      { 'sec-fetch-site': 'cross-site', authorization: 'Basic YTpi' },
    ])
      expect(await pause({ ...cookie, ...strange })).toBe(403)
    for (const own of [{}, { 'sec-fetch-site': 'same-origin' }, { origin: 'http://jobs.test' }])
      expect(await pause({ ...cookie, ...own })).toBeLessThan(300)
    // No page of another origin can send these without being asked first.
    for (const deliberate of [bearer('theirs'), { 'x-api-key': 'theirs' }])
      expect(await pause({ 'sec-fetch-site': 'cross-site', ...deliberate })).toBeLessThan(300)
    const reading = { headers: { ...cookie, 'sec-fetch-site': 'cross-site' } }
    expect((await fixture.ask(path, reading)).status).toBe(200)
  })

  it('is asked with the request, when nothing else has recognised it', async () => {
    const authenticate = vi.fn((request: Request) => ({
      name: request.headers.get('x-user') ?? '',
      role: 'user' as const,
      tenant: 'acme',
    }))
    await using fixture = await makeFixture({ adminTokens: ['admin'], authenticate })
    await fixture.ask(path, { headers: bearer('admin') })
    expect(authenticate).not.toHaveBeenCalled()
    const headers = { ...bearer('theirs'), 'x-user': 'ada' }
    expect((await fixture.ask(path, { headers })).body).toMatchObject({ name: 'ada', tenant: 'acme' })
  })

  it.each([
    ['throws', () => Promise.reject(new Error('password of the directory: hunter2'))],
    [
      'throws at once',
      () => {
        throw new Error('hunter2')
      },
    ],
    ['answers a user without a tenant', () => ({ name: 'ada', role: 'user', tenant: null })],
    ['answers a user of an empty tenant', () => ({ name: 'ada', role: 'user', tenant: '' })],
    ['answers a user whose tenant is left out', () => ({ name: 'ada', role: 'user' })],
    ['answers staff whose tenant is left out', () => ({ name: 'ada', role: 'admin' })],
    ['answers a role that there is not', () => ({ name: 'ada', role: 'root', tenant: null })],
    ['answers a role of every object', () => ({ name: 'ada', role: 'constructor', tenant: null })],
    ['answers true', () => true],
    ['answers a name that is no text', () => ({ name: 7, role: 'admin', tenant: null })],
  ])('that %s is a 500 without its words, and trouble', async (_, authenticate) => {
    await using fixture = await makeFixture(answering(authenticate))
    for (const asked of [path, '/api/v1/jobs']) {
      const { status, text, body } = await fixture.ask(asked)
      expect([status, body.code]).toEqual([500, 'internal'])
      expect(text).not.toContain('hunter2')
    }
    expect(fixture.troubles).toHaveLength(2)
  })
})

describe("a module's routes", () => {
  const routes = () =>
    new Hono().get('/', c => c.json({ shown: true })).post('/', c => c.json({ changed: true }))
  const module = { name: 'shop', jobs: [], handlers: [], routes }
  const as = (role: Principal['role'], tenant: string | null): AccessOptions => ({
    authenticate: () => ({ name: 'somebody', role, tenant }),
  })

  it.each<[Principal['role'], string | null, number, number]>([
    ['admin', null, 200, 200],
    ['operator', null, 200, 200],
    ['viewer', null, 200, 403],
    ['user', 'acme', 403, 403],
    ['cron', null, 403, 403],
    ['processor', null, 403, 403],
    ['admin', 'acme', 403, 403],
    ['viewer', 'acme', 403, 403],
  ])('answer %s of tenant %s: reading %i, changing %i', async (role, tenant, reading, changing) => {
    await using fixture = await makeFixture(as(role, tenant), [module])
    expect((await fixture.ask('/shop')).status).toBe(reading)
    expect((await fixture.ask('/shop', { method: 'HEAD' })).status).toBe(reading)
    expect((await fixture.ask('/shop', { method: 'POST' })).status).toBe(changing)
  })

  it('answer nobody who has not said who they are', async () => {
    await using fixture = await makeFixture({ adminTokens: ['admin'] }, [module])
    expect((await fixture.ask('/shop')).status).toBe(401)
  })
})
