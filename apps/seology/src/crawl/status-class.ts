import type { FetchErrorKind } from './page.ts'

/** What an answer means for a crawler, coarser than its status. */
export type StatusClass =
  | 'ok'
  | 'empty'
  | 'odd2xx'
  | 'redirect-permanent'
  | 'redirect-temporary'
  | 'odd3xx'
  | 'gone'
  | 'auth'
  | 'refused'
  | 'throttled'
  | 'client-error'
  | 'server-error'
  | 'origin-down'
  | 'network'

export interface StatusFacts {
  /** 0 when no answer came. */
  status: number
  hasLocation?: boolean
  hasRetryAfter?: boolean
  error?: { kind: FetchErrorKind } | null
}

const exact = new Map<number, StatusClass>([
  [200, 'ok'],
  [204, 'empty'],
  [205, 'empty'],
  [404, 'gone'],
  [410, 'gone'],
  [401, 'auth'],
  [407, 'auth'],
  [403, 'refused'],
  [406, 'refused'],
  [451, 'refused'],
  // LinkedIn's answer to anything that looks automated.
  [999, 'refused'],
  [429, 'throttled'],
])

const redirects = new Map<number, StatusClass>([
  [301, 'redirect-permanent'],
  [308, 'redirect-permanent'],
  [302, 'redirect-temporary'],
  [303, 'redirect-temporary'],
  [307, 'redirect-temporary'],
])

export function classifyStatus({
  status,
  hasLocation = true,
  hasRetryAfter,
  error,
}: StatusFacts): StatusClass {
  if (status < 100 || (error && status < 300)) return 'network'
  const known = exact.get(status)
  if (known !== undefined) return known
  if (status < 300) return 'odd2xx'
  if (status < 400) return (hasLocation && redirects.get(status)) || 'odd3xx'
  if (status === 503 && hasRetryAfter) return 'throttled'
  // Cloudflare's own codes: it is up, the site behind it is not.
  if (status === 530 || (status >= 520 && status <= 527)) return 'origin-down'
  return status < 500 ? 'client-error' : 'server-error'
}
