import type { AccessOptions } from '@millrace/api'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { type AccessFixture, bearer, json, makeFixture, type Reply } from './access-fixture.ts'

const admin = 'admin-token-of-the-sessions'
const operator = 'operator-token-of-the-sessions'
const jwtSecret = 'a secret for sessions, of more than 32 characters'
const own = { origin: 'http://jobs.test' }

const path = '/api/v1/session'

function logIn(
  ask: AccessFixture['ask'],
  token: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return ask(path, { method: 'POST', body: JSON.stringify({ token }), headers: { ...json, ...headers } })
}

/** What a browser sends from then on: the cookie by itself, the rest by the page. */
async function browser(ask: AccessFixture['ask'], token = admin) {
  const { headers, body } = await logIn(ask, token)
  const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
  return { cookie, 'x-csrf-token': body.csrfToken as string }
}

const cancel = (ask: AccessFixture['ask'], headers: Record<string, string>): Promise<Reply> =>
  ask('/api/v1/jobs/01900000-0000-7000-8000-000000000000/cancel', { method: 'POST', headers })

const adminOnly: AccessOptions = { adminTokens: [admin] }

describe('logging in', () => {
  it('answers who one is, and a cookie that no script can read and no other site can send', async () => {
    await using fixture = await makeFixture(adminOnly)
    const { status, headers, body } = await logIn(fixture.ask, admin, own)
    expect([status, body.name, body.role]).toEqual([201, 'admin#1', 'admin'])
    expect(body.csrfToken).toMatch(/^[\w-]{32}$/)
    const cookie = headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^millrace_session=[\w-]+\.[\w-]+\.[\w-]+; /)
    expect(cookie.split('; ').slice(1).sort()).toEqual([
      'HttpOnly',
      'Max-Age=43200',
      'Path=/',
      'SameSite=Strict',
    ])
    expect(cookie).not.toContain(admin)
  })

  it.each<[AccessOptions, Record<string, string>, boolean]>([
    [{ publicUrl: 'https://jobs.example.com' }, {}, true],
    [{ publicUrl: 'http://jobs.example.com' }, {}, false],
    [{ trustedProxies: 1 }, { 'x-forwarded-proto': 'https' }, true],
    [{}, { 'x-forwarded-proto': 'https' }, false],
  ])('behind %j with %j gives a Secure cookie: %s', async (options, headers, isSecure) => {
    await using fixture = await makeFixture({ ...adminOnly, ...options })
    const answer = await logIn(fixture.ask, admin, headers)
    expect((answer.headers.get('set-cookie') ?? '').includes('; Secure')).toBe(isSecure)
  })

  it.each(['wrong', '', ' ', `${admin} `, 'a.b.c'])('with %j is refused', async token => {
    await using fixture = await makeFixture(adminOnly)
    const { status, headers } = await logIn(fixture.ask, token)
    expect(status).toBe(token === '' ? 400 : 401)
    expect(headers.get('set-cookie')).toBeNull()
  })

  it.each<Record<string, string>>([
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { origin: 'http://jobs.test:8080' },
    { origin: 'https://jobs.test' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('for a page of another origin, %j, is refused even with the right token', async headers => {
    await using fixture = await makeFixture(adminOnly)
    const answer = await logIn(fixture.ask, admin, headers)
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
    expect(answer.headers.get('set-cookie')).toBeNull()
  })

  it('by a form, as another site could send it, is refused', async () => {
    await using fixture = await makeFixture(adminOnly)
    const body = JSON.stringify({ token: admin })
    const answer = await fixture.ask(path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'text/plain' },
    })
    expect(answer.status).toBe(415)
  })

  it('takes no body beyond what a token needs', async () => {
    await using fixture = await makeFixture(adminOnly)
    expect((await logIn(fixture.ask, 'x'.repeat(100_000))).status).toBe(413)
  })

  it('says what is missing where nothing signs sessions', async () => {
    await using fixture = await makeFixture({ viewerTokens: ['viewer'] })
    const { status, body } = await logIn(fixture.ask, 'viewer')
    expect([status, body.code]).toEqual([403, 'not-configured'])
    expect(body.detail).toContain('MILLRACE_SESSION_SECRET')
  })

  it('with a JWT gives the session of its user, within their tenant', async () => {
    await using fixture = await makeFixture({ ...adminOnly, jwt: { secret: jwtSecret } })
    const { cookie } = await browser(fixture.ask, await userToken())
    expect((await fixture.ask(path, { headers: { cookie } })).body).toMatchObject({
      name: 'ada',
      role: 'user',
      tenant: 'acme',
    })
  })
})

function userToken(lastsS = 86_400): Promise<string> {
  return new SignJWT({ sub: 'ada', tenant: 'acme' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1_000) + lastsS)
    .sign(new TextEncoder().encode(jwtSecret))
}

describe('a session', () => {
  it('ends by its time', async () => {
    await using fixture = await makeFixture({ ...adminOnly, sessionMs: 60_000 })
    const { cookie } = await browser(fixture.ask)
    expect((await fixture.ask(path, { headers: { cookie } })).status).toBe(200)
    fixture.at += 61_000
    expect((await fixture.ask(path, { headers: { cookie } })).status).toBe(401)
  })

  it('ends with the JWT that it was given for', async () => {
    await using fixture = await makeFixture({ ...adminOnly, jwt: { secret: jwtSecret } })
    const { cookie } = await browser(fixture.ask, await userToken(300))
    fixture.at += 301_000
    expect((await fixture.ask(path, { headers: { cookie } })).status).toBe(401)
  })

  it.each<[string, AccessOptions]>([
    ['of the admin', { adminTokens: ['another-token'] }],
    ['that signs sessions', { ...adminOnly, sessionSecret: 'another secret' }],
  ])('ends when the secret %s is another', async (_, options) => {
    await using fixture = await makeFixture(adminOnly)
    const { cookie } = await browser(fixture.ask)
    const ask = fixture.restarted(options)
    expect((await ask(path, { headers: { cookie } })).status).toBe(401)
  })

  it('of an operator ends when their token is taken away, and others live on', async () => {
    const sessionSecret = 'a secret of the sessions alone'
    await using fixture = await makeFixture({ ...adminOnly, operatorTokens: [operator], sessionSecret })
    const { cookie: ended } = await browser(fixture.ask, operator)
    const { cookie: kept } = await browser(fixture.ask)
    const ask = fixture.restarted({ ...adminOnly, operatorTokens: ['another'], sessionSecret })
    expect((await ask(path, { headers: { cookie: ended } })).status).toBe(401)
    expect((await ask(path, { headers: { cookie: kept } })).status).toBe(200)
  })

  it('outlives a restart with the same secrets, and the rotation in of another token', async () => {
    const sessionSecret = 'a secret of the sessions alone'
    await using fixture = await makeFixture({ adminTokens: [admin], sessionSecret })
    const { cookie } = await browser(fixture.ask)
    const ask = fixture.restarted({ adminTokens: ['new', admin], sessionSecret })
    expect((await ask(path, { headers: { cookie } })).status).toBe(200)
  })

  it('that was tampered with is nobody’s', async () => {
    await using fixture = await makeFixture({ ...adminOnly, viewerTokens: ['viewer'] })
    const { cookie } = await browser(fixture.ask, 'viewer')
    const [head, body = '', signature] = cookie.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const raised = Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const forged of [
      `${head}.${raised}.${signature}`,
      `millrace_session=${none}.${raised}.`,
      `${head}.${body}.`,
      `${head}.${body}`,
      'millrace_session=',
    ])
      expect((await fixture.ask(path, { headers: { cookie: forged } })).status).toBe(401)
  })

  it('is no bearer token, and a bearer token is no session', async () => {
    await using fixture = await makeFixture(adminOnly)
    const { cookie } = await browser(fixture.ask)
    const value = cookie.split('=')[1] ?? ''
    expect((await fixture.ask(path, { headers: bearer(value) })).status).toBe(401)
    expect((await fixture.ask(path, { headers: { cookie: `millrace_session=${admin}` } })).status).toBe(401)
  })

  it('is taken back by logging out', async () => {
    await using fixture = await makeFixture(adminOnly)
    const session = await browser(fixture.ask)
    const { status, headers } = await fixture.ask(path, { method: 'DELETE', headers: { ...session, ...own } })
    expect(status).toBe(204)
    expect(headers.get('set-cookie')).toMatch(
      /^millrace_session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Strict$/,
    )
  })
})

describe("a change by a browser's cookie", () => {
  it('is made for a page of this origin that has the CSRF token', async () => {
    await using fixture = await makeFixture(adminOnly)
    const session = await browser(fixture.ask)
    expect((await cancel(fixture.ask, { ...session, ...own })).status).toBe(404)
    expect((await cancel(fixture.ask, { ...session, 'sec-fetch-site': 'same-origin' })).status).toBe(404)
  })

  it.each<[string, Record<string, string>]>([
    ['without the token', { ...own, 'x-csrf-token': '' }],
    ['with another token', { ...own, 'x-csrf-token': 'A'.repeat(32) }],
    ['from another origin', { origin: 'https://evil.test' }],
    ['from an origin that is kept secret', { origin: 'null' }],
    ['from another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['from a sister domain, as the browser says', { 'sec-fetch-site': 'same-site' }],
    ['from nowhere', {}],
  ])('%s is refused', async (_, headers) => {
    await using fixture = await makeFixture(adminOnly)
    const session = await browser(fixture.ask)
    expect((await cancel(fixture.ask, { ...session, ...headers })).status).toBe(403)
  })

  it("with the CSRF token of another's session is refused", async () => {
    await using fixture = await makeFixture(adminOnly)
    const { cookie } = await browser(fixture.ask)
    const other = await browser(fixture.ask)
    expect((await cancel(fixture.ask, { ...other, ...own, cookie })).status).toBe(403)
  })

  it('counts the origin that the public URL names', async () => {
    await using fixture = await makeFixture({ ...adminOnly, publicUrl: 'https://jobs.example.com/path' })
    const session = await browser(fixture.ask)
    expect((await cancel(fixture.ask, { ...session, origin: 'https://jobs.example.com' })).status).toBe(404)
    expect((await cancel(fixture.ask, { ...session, ...own })).status).toBe(403)
  })
})
