import type { AccessOptions } from '@millrace/api'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { bearer, json, makeFixture, type Reply } from './access-fixture.ts'

const admin = 'admin-token-of-the-limits'
const secret = 'a secret for the limits, of more than 32 characters'
const path = '/api/v1/session'
const three = { requests: 3, perMs: 60_000 }
const base: AccessOptions = { adminTokens: [admin], jwt: { secret } }

function user(sub: string): Promise<string> {
  const token = new SignJWT({ sub, tenant: 'acme' }).setProtectedHeader({ alg: 'HS256' })
  return token.setExpirationTime('1h').sign(new TextEncoder().encode(secret))
}

function expectRefused({ status, body, headers }: Reply): void {
  expect([status, body.code]).toEqual([429, 'rate-limited'])
  const seconds = Number(headers.get('retry-after'))
  expect(seconds).toBeGreaterThanOrEqual(1)
  expect(seconds).toBeLessThanOrEqual(60)
  expect(body.detail).toContain(`${seconds} s`)
}

async function statuses(times: number, ask: () => Promise<Reply>): Promise<number[]> {
  const seen: number[] = []
  for (let index = 0; index < times; index++) seen.push((await ask()).status)
  return seen
}

describe('too many requests', () => {
  it('of one user are refused with when to come back, and others are served', async () => {
    await using fixture = await makeFixture({ ...base, rateLimits: { user: three } })
    const [ada, eve] = [await user('ada'), await user('eve')]
    expect(await statuses(3, () => fixture.ask(path, { headers: bearer(ada) }))).toEqual([200, 200, 200])
    expectRefused(await fixture.ask(path, { headers: bearer(ada) }))
    expect((await fixture.ask(path, { headers: bearer(eve) })).status).toBe(200)
    expect((await fixture.ask(path, { headers: bearer(admin) })).status).toBe(200)
  })

  it('of the staff are refused where a limit is set', async () => {
    await using fixture = await makeFixture({ ...base, rateLimits: { staff: three } })
    expect(await statuses(4, () => fixture.ask(path, { headers: bearer(admin) }))).toEqual([
      200, 200, 200, 429,
    ])
  })

  it('of one address are refused, whoever asks there', async () => {
    await using fixture = await makeFixture({ ...base, rateLimits: { address: three } })
    const from = '192.0.2.7'
    await statuses(3, () => fixture.ask(path, { from }))
    expectRefused(await fixture.ask(path, { from, headers: bearer(admin) }))
    expect((await fixture.ask(path, { from: '192.0.2.8', headers: bearer(admin) })).status).toBe(200)
  })

  it('to log in, of one address, are refused', async () => {
    await using fixture = await makeFixture({ ...base, rateLimits: { address: three, failures: null } })
    const logIn = () => fixture.ask(path, { method: 'POST', body: `{"token":"${admin}"}`, headers: json })
    expect(await statuses(4, logIn)).toEqual([201, 201, 201, 429])
  })

  it('leave /health alone', async () => {
    await using fixture = await makeFixture({ ...base, rateLimits: { address: three } })
    expect(new Set(await statuses(10, () => fixture.ask('/health')))).toEqual(new Set([200]))
  })
})

describe('wrong credentials', () => {
  it.each<[string, RequestInit & { headers: Record<string, string> }]>([
    ['tokens', { headers: bearer('wrong') }],
    ['keys', { headers: { 'x-api-key': 'wrong' } }],
    ['JWTs', { headers: bearer('eyJhbGciOiJub25lIn0.e30.') }],
    ['log-ins', { method: 'POST', body: '{"token":"wrong"}', headers: json }],
  ])('as %s, too many from one address, are not even looked at', async (_, wrong) => {
    await using fixture = await makeFixture({
      ...base,
      processorKeys: ['key'],
      rateLimits: { failures: three },
    })
    expect(await statuses(3, () => fixture.ask(path, wrong))).toEqual([401, 401, 401])
    expectRefused(await fixture.ask(path, wrong))
    expectRefused(await fixture.ask(path, { headers: bearer(admin) }))
    expect((await fixture.ask(path, { headers: bearer(admin), from: '192.0.2.9' })).status).toBe(200)
  })

  it('are counted apart from requests without any', async () => {
    await using fixture = await makeFixture({ ...base, rateLimits: { failures: three } })
    expect(new Set(await statuses(10, () => fixture.ask(path)))).toEqual(new Set([401]))
  })
})

describe('X-Forwarded-For', () => {
  /** Whose requests are counted together when the header says so. */
  const isCountedAs = async (options: AccessOptions, first: string, second: string): Promise<boolean> => {
    await using fixture = await makeFixture({
      ...base,
      ...options,
      rateLimits: { address: { requests: 1, perMs: 60_000 } },
    })
    const ask = (said: string) =>
      fixture.ask(path, { headers: { ...bearer(admin), 'x-forwarded-for': said } })
    expect((await ask(first)).status).toBe(200)
    return (await ask(second)).status === 429
  }

  it('is not believed when no proxy is trusted', async () => {
    expect(await isCountedAs({}, '198.51.100.1', '198.51.100.2')).toBe(true)
  })

  it.each<[number, string, string, boolean]>([
    [1, '198.51.100.1', '198.51.100.2', false],
    [1, '198.51.100.1', '203.0.113.9, 198.51.100.1', true],
    [1, '203.0.113.1, 198.51.100.1', '203.0.113.2, 198.51.100.1', true],
    [2, '203.0.113.1, 198.51.100.1', '203.0.113.1, 198.51.100.2', true],
    [2, '9.9.9.9, 203.0.113.1, 198.51.100.1', '8.8.8.8, 203.0.113.1, 198.51.100.1', true],
    [2, '203.0.113.1, 198.51.100.1', '203.0.113.2, 198.51.100.1', false],
    // Fewer hops than proxies: none of them can be theirs, so the socket counts.
    [2, '198.51.100.1', '198.51.100.2', true],
    [1, '198.51.100.1:5000', '198.51.100.1:6000', true],
    [1, '[2001:db8::1]:5000', '2001:db8::1', true],
    [1, '<script>', '"', true],
  ])('with %i trusted, %j and %j are one address: %s', async (trustedProxies, first, second, isOne) => {
    expect(await isCountedAs({ trustedProxies }, first, second)).toBe(isOne)
  })
})

describe('options that are no options', () => {
  it.each<AccessOptions>([
    { trustedProxies: -1 },
    { trustedProxies: 1.5 },
    { trustedProxies: Number.NaN },
    { publicUrl: 'jobs.example.com' },
    { publicUrl: 'javascript:alert(1)' },
    { sessionMs: 0 },
    { sessionMs: Number.NaN },
  ])('%j are refused before anybody asks', async options => {
    await expect(makeFixture({ ...base, ...options })).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})
