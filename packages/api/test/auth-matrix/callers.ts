/** Everybody who could knock, and what each is to be answered. */

import type { Operation } from '@millrace/api'
import { SignJWT, UnsecuredJWT } from 'jose'
import { isWithinTenant, whoMay } from './table.ts'

export const secrets = {
  admin: 'admin-token-of-the-matrix',
  operator: 'operator-token-of-the-matrix',
  viewer: 'viewer-token-of-the-matrix',
  cron: 'cron-secret-of-the-matrix',
  processor: 'processor-key-of-the-matrix',
  jwt: 'a secret of the matrix, of more than 32 characters',
}

export const ownTenant = 'acme'
export const otherTenant = 'globex'

export interface Caller {
  name: string
  headers: Record<string, string>
  /** `done`: one of the operation's own replies. */
  expected(operation: Operation): 'done' | number
  /** Of another tenant: must not hear of the owner's. */
  isStranger?: true
}

export interface BrowserSession {
  cookie: string
  csrfToken: string
}

function token(claims: Record<string, unknown>, expiresInS = 600, secret = secrets.jwt): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresInS)
    .sign(new TextEncoder().encode(secret))
}

const bearer = (value: string): Record<string, string> => ({ authorization: `Bearer ${value}` })

const isOpen = (operation: Operation): boolean => whoMay(operation) === 'everybody'
const unknown = (operation: Operation): 'done' | number => (isOpen(operation) ? 'done' : 401)
const known =
  (who: 'viewer' | 'operator' | 'admin' | 'owner' | 'processor' | 'cron') =>
  (operation: Operation): 'done' | number => {
    const may = whoMay(operation)
    return may === 'everybody' || may.includes(who) ? 'done' : 403
  }

/** Somebody of another tenant: what they may not do at all is a 403, what is not theirs is not there. */
const stranger =
  (who: 'operator' | 'admin' | 'owner') =>
  (operation: Operation): 'done' | number => {
    if (isOpen(operation)) return 'done'
    if (known(who)(operation) === 403 || !isWithinTenant(operation.path)) return 403
    return /\/(jobs|flows|dead-letters|schedules)\/\{/.test(operation.path) ? 404 : 'done'
  }

export async function everyCaller(session: BrowserSession): Promise<Caller[]> {
  const { cookie, csrfToken } = session
  const ada = { sub: 'ada', tenant: ownTenant }
  const unsigned = new UnsecuredJWT(ada).setExpirationTime('10 minutes').encode()
  const [head, body, signature] = (await token(ada)).split('.') as [string, string, string]
  const admins = Buffer.from(JSON.stringify({ ...ada, millrace_role: 'admin', exp: 4e9 })).toString(
    'base64url',
  )
  const refused = (name: string, headers: Record<string, string>): Caller => ({
    name,
    headers,
    expected: unknown,
  })
  return [
    refused('nobody', {}),
    refused('an empty Authorization', { authorization: '' }),
    refused('a Bearer without a token', { authorization: 'Bearer ' }),
    refused('a token of two words', { authorization: `Bearer ${secrets.admin} ${secrets.admin}` }),
    refused('the admin token as Basic', {
      authorization: `Basic ${Buffer.from(`admin:${secrets.admin}`).toString('base64')}`,
    }),
    refused('a token that nobody has', bearer('admin-token-of-the-matriy')),
    refused('the admin token as a key', { 'x-api-key': secrets.admin }),
    refused('the key of the processor as a token', bearer(secrets.processor)),
    refused('an expired JWT', bearer(await token(ada, -600))),
    refused(
      'a JWT without an end',
      bearer(
        await new SignJWT(ada)
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode(secrets.jwt)),
      ),
    ),
    refused('a JWT of alg none', bearer(unsigned)),
    refused('a JWT by another key', bearer(await token(ada, 600, `${secrets.jwt}!`))),
    refused('a JWT whose claims were changed', bearer(`${head}.${admins}.${signature}`)),
    refused('a JWT without its signature', bearer(`${head}.${body}.`)),
    refused('a cookie that nobody signed', { cookie: 'millrace_session=a.b.c' }),
    refused('a JWT as a cookie', { cookie: `millrace_session=${await token({ ...ada, role: 'admin' })}` }),
    { name: 'a viewer', headers: bearer(secrets.viewer), expected: known('viewer') },
    { name: 'an operator', headers: bearer(secrets.operator), expected: known('operator') },
    { name: 'the admin', headers: bearer(secrets.admin), expected: known('admin') },
    { name: 'cron', headers: bearer(secrets.cron), expected: known('cron') },
    { name: 'cron, by a key', headers: { 'x-api-key': secrets.cron }, expected: known('cron') },
    { name: 'the processor', headers: { 'x-api-key': secrets.processor }, expected: known('processor') },
    { name: 'the owner', headers: bearer(await token(ada)), expected: known('owner') },
    {
      name: 'a user of another tenant',
      headers: bearer(await token({ sub: 'eve', tenant: otherTenant })),
      expected: stranger('owner'),
      isStranger: true,
    },
    {
      name: 'an operator of another tenant',
      headers: bearer(await token({ sub: 'mallory', tenant: otherTenant, millrace_role: 'operator' })),
      expected: stranger('operator'),
      isStranger: true,
    },
    {
      name: 'an admin of another tenant',
      headers: bearer(await token({ sub: 'oscar', tenant: otherTenant, millrace_role: 'admin' })),
      expected: stranger('admin'),
      isStranger: true,
    },
    {
      name: "an admin of the owner's tenant",
      headers: bearer(await token({ sub: 'grace', tenant: ownTenant, millrace_role: 'admin' })),
      expected: operation =>
        isOpen(operation) || isWithinTenant(operation.path) ? known('admin')(operation) : 403,
    },
    {
      name: "the admin's browser",
      headers: { cookie, 'x-csrf-token': csrfToken, 'sec-fetch-site': 'same-origin' },
      expected: known('admin'),
    },
    {
      name: "the admin's browser without the CSRF token",
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
      expected: operation => (isOpen(operation) || operation.method === 'get' ? 'done' : 403),
    },
    {
      name: "the admin's browser, led by another site's page",
      headers: {
        cookie,
        'x-csrf-token': csrfToken,
        origin: 'https://evil.test',
        'sec-fetch-site': 'cross-site',
      },
      // Logging in from there is refused, too.
      expected: operation => (operation.method === 'get' ? 'done' : 403),
    },
  ]
}
