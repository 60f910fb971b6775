import { z } from 'zod'
import { instantText } from '../documents/index.ts'
import { notAnObject } from './fields.ts'
import { operation } from './operation.ts'
import { permissions, roles, type Permission } from './permission.ts'

const tag = 'session'
const path = '/api/v1/session'

const session = z
  .object({
    name: z.string(),
    role: z.enum(roles),
    tenant: z.string().nullable().meta({ description: 'Whose jobs are seen; null: all' }),
    permissions: z.array(z.enum(Object.keys(permissions) as [Permission, ...Permission[]])),
    csrfToken: z.string().nullable().meta({
      description: "Sent back as x-csrf-token with every change; null when it is not a browser's session",
    }),
    expiresAt: instantText.nullable(),
  })
  .meta({ id: 'Session', description: 'Who asks, and what they may do' })

export const login = operation({
  id: 'login',
  method: 'post',
  path,
  summary: 'Exchange a token for the session cookie of a browser.',
  tag,
  permission: 'public',
  body: z
    .strictObject(
      { token: z.string('must be text').min(1, 'must not be empty').max(8_192, 'is too long') },
      notAnObject,
    )
    .meta({ id: 'LoginRequest' }),
  // Anybody may send one, before it is known who.
  maxBodyBytes: 64 * 2 ** 10,
  replies: { 201: { description: 'The cookie is set', schema: session } },
  problems: ['unauthorized', 'not-configured', 'rate-limited', 'forbidden'],
})

export const whoAmI = operation({
  id: 'whoAmI',
  method: 'get',
  path,
  summary: 'Say who asks, and what they may do.',
  tag,
  permission: 'session',
  replies: { 200: { description: 'Who', schema: session } },
})

export const logout = operation({
  id: 'logout',
  method: 'delete',
  path,
  summary: 'Take the session cookie back.',
  tag,
  permission: 'session',
  replies: { 204: { description: 'The cookie is gone' } },
})
