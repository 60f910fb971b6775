import type { MiddlewareHandler } from 'hono'

export const defaultHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Headers for answers that no browser should render, frame, sniff or keep. A route that sets its own keeps them. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  for (const [name, value] of Object.entries(defaultHeaders))
    if (!c.res.headers.has(name)) c.res.headers.set(name, value)
}
