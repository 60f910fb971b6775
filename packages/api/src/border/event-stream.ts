import type { FeedItem, Follower } from 'millrace'
import { eventDocument } from '../documents/index.ts'

/** Proxies and browsers give up a connection on which nothing comes. */
const heartbeatMs = 15_000
const encoder = new TextEncoder()

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx would gather an answer before it passes it on.
  'x-accel-buffering': 'no',
}

/** What was written down last, for whoever takes the same a moment later. */
const recent: Chunk[] = []
const recentMost = 16

interface Chunk {
  hears: string
  first: FeedItem
  last: FeedItem
  bytes: Uint8Array
}

export interface EventStreamOptions {
  follower: Follower
  /** The place that it follows from. */
  from: number
  /** Those with equal words have the same filter: they share the bytes of what they take together. */
  hears: string
  /** Fires when the stream has lasted long enough. */
  signal: AbortSignal
  /** Called when it ends in any way. */
  left: () => void
}

/**
 * What a follower hears, as server-sent events, until its signal fires or the client goes. A place (`id`) is said at the
 * beginning and in the silence, too: whoever comes back has missed nothing, though nothing had come before.
 */
export function eventStream({ follower, from, hears, signal, left }: EventStreamOptions): Response {
  let asked = false
  let heartbeat: NodeJS.Timeout | undefined
  let over = (): void => {}
  const end = (): void => {
    clearInterval(heartbeat)
    signal.removeEventListener('abort', over)
    left()
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`: welcome\nid: ${from}\nretry: 2000\n\n`))
      heartbeat = setInterval(() => {
        // Nothing is piled up for one who does not read.
        if ((controller.desiredSize ?? 0) <= 0) return
        const { seen } = follower
        controller.enqueue(encoder.encode(`: still here\n${seen === null ? '' : `id: ${seen}\n`}\n`))
      }, heartbeatMs)
      over = () => {
        end()
        // One who reads is told in order, by `pull`.
        if (!asked) controller.error(new Error('whoever listens has stopped reading'))
      }
      signal.addEventListener('abort', over, { once: true })
    },
    // Asked for when there is room again: a slow client waits in the follower, which is bounded.
    async pull(controller) {
      asked = true
      try {
        const items = await follower.take()
        if (items.length > 0) controller.enqueue(chunk(items, hears))
        else controller.close()
        if (items.length === 0) end()
      } catch (error) {
        end()
        throw error
      } finally {
        asked = false
      }
    },
    cancel: end,
  })
  return new Response(body, { headers })
}

/** What comes before the events, without them. */
export function streamHead(): Response {
  return new Response(null, { headers })
}

/** Of two followers with one filter, what begins and ends with the same events is the same. */
function chunk(items: readonly FeedItem[], hears: string): Uint8Array {
  const [first] = items as [FeedItem]
  const last = items.at(-1) as FeedItem
  const known = recent.find(each => each.last === last && each.first === first && each.hears === hears)
  if (known) return known.bytes
  const bytes = encoder.encode(items.map(write).join(''))
  recent.push({ hears, first, last, bytes })
  if (recent.length > recentMost) recent.shift()
  return bytes
}

function write(item: FeedItem): string {
  const data = item.event === 'gap' ? { seq: item.seq } : eventDocument(item)
  return `id: ${item.seq}\nevent: ${item.event}\ndata: ${JSON.stringify(data)}\n\n`
}
