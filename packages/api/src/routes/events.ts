import type { FeedFilter } from 'millrace'
import type { Principal } from '../access/principal.ts'
import { eventStream, streamHead } from '../border/event-stream.ts'
import { type Route, route } from '../border/route.ts'
import { listEvents, streamEvents } from '../contract/events.ts'
import { defined } from '../defined.ts'
import { eventDocument } from '../documents/index.ts'
import { Problem } from '../problem.ts'
import { tenantFor } from './ownership.ts'

/** Then the client comes back by itself, and is asked anew who it is. */
const longestMs = 30 * 60_000

export const eventRoutes: Route[] = [
  route(streamEvents, async ({ millrace, principal, query, c, stopping }) => {
    const after = lastSeen(c.req.header('last-event-id')) ?? query.after
    // Who asks for the head alone would leave a follower behind that nobody reads.
    if (c.req.method === 'HEAD') return { status: 'raw', body: streamHead() }
    const ended = new AbortController()
    const signal = AbortSignal.any([c.req.raw.signal, ended.signal, stopping, AbortSignal.timeout(longestMs)])
    const filter = filterOf(principal, query)
    const follower = millrace.feed.follow({ ...filter, ...defined({ after }), signal })
    // What the store refuses is said by a problem document, not by a stream that breaks.
    const from = await follower.started
    const left = (): void => ended.abort()
    const hears = JSON.stringify(filter)
    return { status: 'raw', body: eventStream({ follower, from, hears, signal, left }) }
  }),

  route(listEvents, async ({ millrace, principal, query }) => {
    const { after, limit } = query
    const page = await millrace.feed.read({ ...filterOf(principal, query), ...defined({ after }), limit })
    return { status: 200, body: { events: page.entries.map(eventDocument), last: page.last, gap: page.gap } }
  }),
]

interface Query {
  event?: FeedFilter['events']
  type?: string[] | undefined
  tenant?: string | undefined
}

function filterOf(principal: Principal, { event, type, tenant }: Query): FeedFilter {
  return defined({ events: event, types: type, tenant: tenantFor(principal, tenant) })
}

function lastSeen(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  if (/^\d{1,16}$/.test(header) && Number.isSafeInteger(Number(header))) return Number(header)
  throw new Problem('invalid-argument', 'Last-Event-ID must be the id of an event: a whole number.', {
    faults: [{ path: ['Last-Event-ID'], message: 'must be a whole number' }],
  })
}
