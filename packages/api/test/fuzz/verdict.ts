/** What every answer must hold to, whatever was asked. */

import { contractChecks, type Check, type Seen } from '../contract-checks.ts'
import type { FuzzRequest } from './request.ts'

const security: Readonly<Record<string, RegExp>> = {
  'cache-control': /^(no-store|private, no-cache|public, max-age=\d+|no-cache, no-transform|no-cache)$/,
  'content-security-policy': /default-src 'none'/,
  'cross-origin-resource-policy': /^same-origin$/,
  'referrer-policy': /^no-referrer$/,
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^DENY$/,
  'x-request-id': /^[\w.:-]{1,100}$/,
}

/** What only the inside knows: code places, file names. */
const inside = /node_modules|node:internal|\.[jt]s:\d+|\\n +at /

const check: Check = contractChecks()

/** Why the answer is wrong, or null. */
export function fault({ operation, method }: FuzzRequest, seen: Seen): string | null {
  const { status, headers, body } = seen
  if (status >= 500) return `${status}: ${body.slice(0, 600)}`
  for (const [name, shape] of Object.entries(security))
    if (!shape.test(headers.get(name) ?? '')) return `the header ${name} is ${headers.get(name)} (${status})`
  if (status === 401 && !headers.has('www-authenticate')) return '401 without WWW-Authenticate'
  if (status === 405 && !headers.has('allow')) return '405 without Allow'
  if (status === 429 && !/^\d+$/.test(headers.get('retry-after') ?? '')) return '429 without Retry-After'
  if (method === 'HEAD') return body === '' ? null : 'an answer to HEAD has a body'
  if (status >= 400 && inside.test(body)) return `tells about the inside: ${body.slice(0, 600)}`
  return operation === null ? check.problem(seen) : check.answer(operation, seen)
}
