import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JwtOptions } from '@millrace/api'
import { exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type AccessFixture, bearer, makeFixture } from './access-fixture.ts'

const secret = 'a secret for tests, of more than 32 characters'
const day = 86_400

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

interface Claims {
  [name: string]: unknown
}

function signed(claims: Claims, { alg = 'HS256', key = secret, lastsS = day } = {}): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg })
    .setExpirationTime(Math.floor(Date.now() / 1_000) + lastsS)
    .sign(new TextEncoder().encode(key))
}

async function withJwt(jwt: JwtOptions, test: (fixture: AccessFixture) => Promise<void>): Promise<void> {
  await using fixture = await makeFixture({ jwt })
  await test(fixture)
}

const who = async ({ ask }: AccessFixture, token: string) =>
  ask('/api/v1/session', { headers: bearer(token) })

describe('a JWT by a shared secret', () => {
  it.each(['HS256', 'HS384', 'HS512'])('of %s is believed', async alg =>
    withJwt({ secret }, async fixture => {
      const answer = await who(fixture, await signed({ sub: 'ada', tenant: 'acme' }, { alg }))
      expect(answer).toMatchObject({ status: 200, body: { name: 'ada', role: 'user', tenant: 'acme' } })
    }),
  )

  it.each<[string, () => Promise<string> | string, RegExp]>([
    ['that has expired', () => signed({ sub: 'ada' }, { lastsS: -1 }), /expired/],
    ['that is not valid yet', () => signed({ sub: 'ada', nbf: Math.floor(Date.now() / 1_000) + 600 }), /nbf/],
    ['by another key', () => signed({ sub: 'ada' }, { key: `${secret}x` }), /not one/],
    ['without a signature', () => new UnsecuredJWT({ sub: 'ada', exp: 4e9 }).encode(), /not one/],
    ['without a sub', () => signed({ tenant: 'acme' }), /sub/],
    ['with a number as its sub', () => signed({ sub: 7 as unknown as string }), /sub/],
    ['with an empty sub', () => signed({ sub: '' }), /sub/],
    ['with NUL in its tenant', () => signed({ sub: 'ada', tenant: 'a\0b' }), /tenant/],
    ['with a list of tenants', () => signed({ sub: 'ada', tenant: ['acme', 'globex'] }), /tenant/],
    ['with null as its tenant', () => signed({ sub: 'ada', tenant: null }), /tenant/],
    ['with a tenant of 201 characters', () => signed({ sub: 'ada', tenant: 'x'.repeat(201) }), /tenant/],
  ])('%s is a 401 that says so', async (_, make, detail) =>
    withJwt({ secret }, async fixture => {
      const { status, headers, body } = await who(fixture, await make())
      expect([status, body.code]).toEqual([401, 'unauthorized'])
      expect(body.detail).toMatch(detail)
      expect(headers.get('www-authenticate')).toContain('error="invalid_token"')
      expect(fixture.troubles).toEqual([])
    }),
  )

  it('without an end is a 401', async () =>
    withJwt({ secret }, async fixture => {
      const endless = new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'HS256' })
      expect((await who(fixture, await endless.sign(new TextEncoder().encode(secret)))).status).toBe(401)
    }))

  it('ends by the clock of the server', async () =>
    withJwt({ secret }, async fixture => {
      const token = await signed({ sub: 'ada' }, { lastsS: 60 })
      expect((await who(fixture, token)).status).toBe(200)
      fixture.at += 61_000
      expect((await who(fixture, token)).status).toBe(401)
    }))

  it('by a secret that can be guessed is refused when the API is made', async () => {
    await expect(makeFixture({ jwt: { secret: 'short' } })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })

  it('needs exactly one source of keys', async () => {
    await expect(makeFixture({ jwt: {} })).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(makeFixture({ jwt: { secret, jwksUrl: 'http://x.test' } })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
  })
})

describe('issuer and audience', () => {
  const jwt = { secret, issuer: 'https://id.test', audience: ['millrace', 'jobs'] }

  it.each<[Claims, number]>([
    [{ iss: 'https://id.test', aud: 'millrace' }, 200],
    [{ iss: 'https://id.test', aud: ['other', 'jobs'] }, 200],
    [{ iss: 'https://id.test', aud: 'other' }, 401],
    [{ iss: 'https://id.test/', aud: 'millrace' }, 401],
    [{ aud: 'millrace' }, 401],
    [{ iss: 'https://id.test' }, 401],
  ])('of %j are answered %i', async (claims, status) =>
    withJwt(jwt, async fixture => {
      expect((await who(fixture, await signed({ sub: 'ada', ...claims }))).status).toBe(status)
    }),
  )
})

describe('claims', () => {
  it.each<[Claims, Claims]>([
    [{}, { role: 'user', tenant: 'ada' }],
    [{ tenant: 'acme' }, { role: 'user', tenant: 'acme' }],
    [{ millrace_role: 'admin' }, { role: 'admin', tenant: null }],
    [
      { millrace_role: 'operator', tenant: 'acme' },
      { role: 'operator', tenant: 'acme' },
    ],
    [{ millrace_role: 'viewer' }, { role: 'viewer', tenant: null }],
    [{ millrace_role: 'root' }, { role: 'user', tenant: 'ada' }],
    [{ millrace_role: 'cron' }, { role: 'user', tenant: 'ada' }],
    [{ millrace_role: ['admin'] }, { role: 'user', tenant: 'ada' }],
    [
      { role: 'admin', roles: ['admin'] },
      { role: 'user', tenant: 'ada' },
    ],
  ])('%j make %j', async (claims, expected) =>
    withJwt({ secret }, async fixture => {
      expect((await who(fixture, await signed({ sub: 'ada', ...claims }))).body).toMatchObject(expected)
    }),
  )

  it('have the names that the options give them', async () =>
    withJwt({ secret, tenantClaim: 'org', roleClaim: 'jobs' }, async fixture => {
      const token = await signed({
        sub: 'ada',
        org: 'acme',
        jobs: 'viewer',
        tenant: 'x',
        millrace_role: 'admin',
      })
      expect((await who(fixture, token)).body).toMatchObject({ role: 'viewer', tenant: 'acme' })
    }))
})

describe('a JWT by keys that its issuer publishes', () => {
  let issuer: Server
  let url: string
  let answer: () => { status: number; body: string }
  let asked = 0
  const keys = new Map<string, { privateKey: PrivateKey; jwk: JWK }>()

  beforeAll(async () => {
    for (const kid of ['first', 'second']) {
      const { privateKey, publicKey } = await generateKeyPair('ES256')
      keys.set(kid, { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } })
    }
    issuer = createServer((_, response) => {
      asked++
      const { status, body } = answer()
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    await new Promise<void>(resolve => issuer.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`
    return () => void issuer.close()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const publish = (...kids: string[]): void => {
    const body = JSON.stringify({ keys: kids.map(kid => keys.get(kid)?.jwk) })
    answer = () => ({ status: 200, body })
  }
  const by = (kid: string, claims: Claims = { sub: 'ada' }): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid })
      .setExpirationTime('1d')
      .sign(keys.get(kid)?.privateKey as PrivateKey)

  it('is believed, and the keys are fetched once for many', async () =>
    withJwt({ jwksUrl: url }, async fixture => {
      publish('first')
      const before = asked
      for (let index = 0; index < 5; index++) expect((await who(fixture, await by('first'))).status).toBe(200)
      expect(asked - before).toBe(1)
    }))

  it('by a key that the issuer has rotated in is believed, and by one rotated out no more', async () =>
    withJwt({ jwksUrl: url }, async fixture => {
      publish('first')
      expect((await who(fixture, await by('first'))).status).toBe(200)
      publish('second')
      // Keys are asked for at most twice a minute, whatever tokens come.
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 })
      expect((await who(fixture, await by('second'))).status).toBe(200)
      expect((await who(fixture, await by('first'))).status).toBe(401)
    }))

  it('by a key that was never published is a 401', async () =>
    withJwt({ jwksUrl: url }, async fixture => {
      publish('first')
      expect((await who(fixture, await by('second'))).status).toBe(401)
    }))

  it('by the public key as if it were a shared secret is a 401', async () =>
    withJwt({ jwksUrl: url }, async fixture => {
      publish('first')
      const key = JSON.stringify(keys.get('first')?.jwk)
      expect((await who(fixture, await signed({ sub: 'ada' }, { key }))).status).toBe(401)
    }))

  it.each([
    ['answers 500', { status: 500, body: '{}' }],
    ['answers no JSON', { status: 200, body: '<html>' }],
    ['answers no keys', { status: 200, body: '{"error":"maintenance"}' }],
    ['points elsewhere', { status: 302, body: '' }],
  ])('is a 503 to be tried again while the issuer %s, and works when it is back', async (_, reply) =>
    withJwt({ jwksUrl: url }, async fixture => {
      answer = () => reply
      const token = await by('first')
      const away = await who(fixture, token)
      expect([away.status, away.body.code]).toEqual([503, 'unavailable'])
      expect(away.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(away.text).not.toContain('127.0.0.1')
      expect(fixture.troubles).toHaveLength(1)
      publish('first')
      expect((await who(fixture, token)).status).toBe(200)
    }),
  )

  it('is a 503 while nobody listens there', async () =>
    withJwt({ jwksUrl: 'http://127.0.0.1:1/keys' }, async fixture => {
      expect((await who(fixture, await by('first'))).status).toBe(503)
    }))

  it('does not keep those out who come with a token of the staff, while the issuer is away', async () => {
    await using fixture = await makeFixture({ jwt: { jwksUrl: url }, adminTokens: ['admin'] })
    answer = () => ({ status: 500, body: '' })
    expect((await who(fixture, 'admin')).status).toBe(200)
  })

  it('is believed by keys that are given outright', async () => {
    const jwk = keys.get('first')?.jwk as JWK
    await withJwt({ jwks: { keys: [jwk] } }, async fixture => {
      expect((await who(fixture, await by('first'))).status).toBe(200)
      expect((await who(fixture, await by('second'))).status).toBe(401)
    })
  })
})
