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

/** An event is written down once, however many follow. */
const written = new WeakMap<FeedItem, string>()

/** What a follower hears, as server-sent events. Ends with the follower; `left` is called when the client goes. */
export function eventStream(follower: Follower, left: () => void): Response {
  let heartbeat: NodeJS.Timeout | undefined
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(': welcome\nretry: 2000\n\n'))
      heartbeat = setInterval(() => {
        // Nothing is piled up for one who does not read.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'))
      }, heartbeatMs)
    },
    // Asked for when there is room again: a slow client waits in the follower, which is bounded.
    async pull(controller) {
      const items = await follower.take()
      if (items.length > 0) controller.enqueue(encoder.encode(items.map(write).join('')))
      else {
        clearInterval(heartbeat)
        controller.close()
      }
    },
    cancel() {
      clearInterval(heartbeat)
      left()
    },
  })
  return new Response(body, { headers })
}

/** What comes before the events, without them. */
export function streamHead(): Response {
  return new Response(null, { headers })
}

function write(item: FeedItem): string {
  const known = written.get(item)
  if (known !== undefined) return known
  const data = item.event === 'gap' ? { seq: item.seq } : eventDocument(item)
  const text = `id: ${item.seq}\nevent: ${item.event}\ndata: ${JSON.stringify(data)}\n\n`
  written.set(item, text)
  return text
}
