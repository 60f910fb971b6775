import { createHash } from 'node:crypto'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Operation } from '../contract/operation.ts'
import { Problem } from '../problem.ts'
import type { Principal } from '../access/principal.ts'
import type { AuditTrail } from './audit-trail.ts'
import type { BorderApp, BorderContext, Services } from './context.ts'
import { permit } from './permit.ts'
import { readInput } from './read-input.ts'
import type { Change, Route } from './route.ts'

/** Longer than any answer that nobody asked to wait. */
const longestMs = 30_000
const nobody: Principal = { name: 'nobody', role: 'viewer', tenant: '' }

interface Plain {
  status: number | 'raw'
  body: unknown
  headers?: Record<string, string>
}

/** Puts operations under their paths. Each request: may they, what do they say, do it, write it down, answer. */
export function mount(app: BorderApp, routes: readonly Route[], services: Services, audit: AuditTrail): void {
  for (const { operation, handle } of routes)
    app.on(operation.method.toUpperCase(), operation.path.replaceAll(/\{(\w+)\}/g, ':$1'), async c => {
      c.set('operation', operation.id)
      const principal = permitted(operation, c)
      const input = await readInput(operation, c)
      let change: Change | null = null
      const asked = { ...input, ...services, principal, c, changed: (said: Change) => void (change = said) }
      const work = async (): Promise<Response> => {
        const response = answer(operation, c, (await handle(asked)) as Plain)
        // Also of what nobody waits for any more.
        if (change) await audit.write(operation, c, principal, change)
        return response
      }
      return operation.lasting ? work() : within(longestMs, work())
    })
}

function permitted({ permission, summary }: Operation, c: BorderContext): Principal {
  if (permission === 'public') return nobody
  const { principal } = c.get('identity')
  permit(principal, permission, summary)
  return principal
}

function answer(operation: Operation, c: BorderContext, reply: Plain): Response {
  if (reply.body instanceof Response) return reply.body
  const { body, headers = {} } = reply
  const status = reply.status as ContentfulStatusCode
  // By way of the context, so that cookies which the handler has set go along.
  if (body === undefined) return c.newResponse(null, status, headers)
  const text = JSON.stringify(body)
  const all: Record<string, string> = { 'content-type': 'application/json', ...headers }
  if (!operation.conditional) return c.newResponse(text, status, all)
  const etag = `W/"${createHash('sha1').update(text).digest('base64url')}"`
  const cached = {
    etag,
    'cache-control': 'private, no-cache',
    vary: 'authorization, cookie, x-api-key',
  }
  const known =
    c.req
      .header('if-none-match')
      ?.split(',')
      .map(each => each.trim()) ?? []
  if (status === 200 && (known.includes(etag) || known.includes('*'))) return c.newResponse(null, 304, cached)
  return c.newResponse(text, status, { ...all, ...cached })
}

/** What is under way is not stopped by this, but nobody waits for it for ever. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new Problem('timeout', `It took more than ${ms / 1_000} s. What was asked may still happen.`)),
      ms,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => {})
  }
}
