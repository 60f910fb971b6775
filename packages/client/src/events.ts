import type { EventQuery } from './contract/calls.ts'
import { EventStreamReader, type RawEvent } from './event-stream.ts'
import { invalid, MillraceProblem, problemOf } from './problem.ts'
import { queryOf, type Wire } from './request.ts'
import { isPassing, pause, timerMs, waitMsAfter } from './retry.ts'
import type { Transport } from './transport.ts'

export interface MillraceEvent {
  /** Give it as `lastEventId` to go on after this event. Empty when the server gives none. */
  id: string
  /** Its name. */
  event: string
  data: unknown
}

export interface EventOptions {
  /** Which to hear of. */
  query?: EventQuery
  /** Go on after this place, such as an event's id, as far as the server remembers. */
  lastEventId?: string
  signal?: AbortSignal
  /**
   * A stream on which nothing comes for so long, not even a sign of life, is taken for dead and made again. Default 60 s.
   */
  silenceMs?: number
}

const path = '/api/v1/events'
const reconnectMs = 1_000

/**
 * Events as they happen, for as long as one listens; a connection that ends is made again after the last place that the
 * server has told, by an event or without one. An event comes once on one connection; what the server has forgotten in
 * between is missed. Throws a problem that no new try would mend, and the signal's reason.
 */
export async function* events(
  transport: Transport,
  options: EventOptions = {},
): AsyncGenerator<MillraceEvent, void, void> {
  let { lastEventId = '' } = options
  const { signal } = options
  let failures = 0
  for (;;) {
    const reader = new EventStreamReader(lastEventId)
    let retryMs: number | null
    try {
      for await (const raw of connection(transport, reader, { ...options, lastEventId })) {
        failures = 0
        yield { id: raw.id, event: raw.event, data: dataOf(raw) }
      }
      ;({ retryMs } = reader)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (!isPassing(error)) throw error
      failures++
      retryMs = error.retryAfterMs
    }
    ;({ lastEventId } = reader)
    await pause(failures > 0 ? waitMsAfter(failures, retryMs) : (retryMs ?? reconnectMs), signal)
  }
}

/** What comes on one connection, until the server ends it. */
async function* connection(
  transport: Transport,
  reader: EventStreamReader,
  { query, lastEventId, signal, silenceMs = 60_000 }: EventOptions,
): AsyncGenerator<RawEvent, void, void> {
  signal?.throwIfAborted()
  const wire = wireOf(query, lastEventId)
  const headers = await transport.headers(wire)
  const controller = new AbortController()
  const stop = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  // Only while the server's word is waited for: who takes long over an event does not make the stream silent.
  const heard = async <T>(what: Promise<T>): Promise<T> => {
    const silent = new MillraceProblem('timed-out', `Nothing came for ${silenceMs} ms.`)
    const timer = setTimeout(() => controller.abort(silent), timerMs(silenceMs))
    return what.finally(() => clearTimeout(timer))
  }
  try {
    const response = await heard(transport.fetch(wire, { headers, signal: controller.signal }))
    if (response.status !== 200 || !isEventStream(response) || !response.body)
      throw problemOf(response, await heard(response.text()))
    // Read by hand: not every browser can iterate over a stream.
    const body = response.body.getReader()
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    for (let each = await heard(body.read()); !each.done; each = await heard(body.read()))
      yield* reader.read(decoder.decode(each.value, { stream: true }))
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason
    if (error instanceof MillraceProblem) throw error
    if (error instanceof RangeError)
      throw new MillraceProblem('unexpected-answer', `On ${path} ${error.message}.`)
    throw new MillraceProblem('unreachable', 'The stream of events was cut off.', { cause: error })
  } finally {
    signal?.removeEventListener('abort', stop)
    controller.abort()
  }
}

function wireOf(query: object = {}, lastEventId = ''): Wire {
  if (/[\r\n\0]/.test(lastEventId)) throw invalid('lastEventId must be the id of an event, on one line.')
  const headers: Record<string, string> = { accept: 'text/event-stream' }
  if (lastEventId !== '') headers['last-event-id'] = lastEventId
  return { method: 'GET', path: path + queryOf(query), headers, body: null, repeatable: true, lasting: true }
}

function isEventStream({ headers }: Response): boolean {
  return /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
}

function dataOf({ event, data }: RawEvent): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new MillraceProblem('unexpected-answer', `The data of an event ${event} is not JSON.`, { cause })
  }
}
