import { get } from 'node:http'
import type { SideInput, Sides } from '../harness.ts'
import { percentile, sharedNow, wait } from '../numbers.ts'
import { operatorToken, samplePayload } from './http-jobs.ts'
import { ask, startServer } from './http-load.ts'

/** Lags in milliseconds, from the call of enqueue to the first event of the job at a listener. */
interface Heard {
  peakRssMb: number
  cpuMicros: number
  /** That came to each listener. */
  eventsPerSecond: number
  p50: number
  p99: number
}

const eventsPath = '/api/v1/events'
const listeners = 500
/** The others only take what comes: the lag is the server's, not that of whoever reads five hundred streams. */
const readers = 10
const warmUpJobs = 200
const tickMs = 20

/** When each job was first heard of on one stream. */
class Listener {
  readonly heard = new Map<string, number>()
  events = 0
  #rest = ''

  read(piece: string): void {
    const lines = (this.#rest + piece).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data:')) continue
      this.events++
      const id = /"(?:id|jobId)":"([0-9a-f-]{36})"/.exec(line)?.[1]
      if (id !== undefined && !this.heard.has(id)) this.heard.set(id, sharedNow())
    }
  }
}

async function listen(url: string, listener: Listener | null): Promise<void> {
  const headers = { authorization: `Bearer ${operatorToken}`, accept: 'text/event-stream' }
  await new Promise<void>((resolve, reject) => {
    get(url + eventsPath, { headers, agent: false }, response => {
      if (response.statusCode !== 200)
        return reject(new Error(`${eventsPath} answers ${response.statusCode}`))
      if (listener) response.setEncoding('utf8').on('data', (piece: string) => listener.read(piece))
      else response.resume()
      resolve()
    }).on('error', reject)
  })
}

/** Enqueues in small batches at an even pace. Answers when each job was sent, by id. */
async function enqueue(url: string, jobs: number, perSecond: number): Promise<Map<string, number>> {
  const sent = new Map<string, number>()
  const size = Math.max(1, Math.round((perSecond * tickMs) / 1_000))
  const answers: Promise<void>[] = []
  const startedAt = sharedNow()
  for (let n = 0; n < jobs; n += size) {
    await wait(startedAt + (n * 1_000) / perSecond - sharedNow())
    answers.push(enqueueBatch(url, size, sent))
  }
  await Promise.all(answers)
  return sent
}

async function enqueueBatch(url: string, size: number, sent: Map<string, number>): Promise<void> {
  const jobs = Array.from({ length: size }, () => ({ type: 'BENCH_PAGE', payload: samplePayload }))
  const at = sharedNow()
  const body = JSON.stringify({ jobs })
  const { results } = await ask<{ results: { id: string }[] }>(url, '/api/v1/jobs/batch', {
    method: 'POST',
    body,
  })
  for (const { id } of results) sent.set(id, at)
}

/** Whether the server tells of events at all: 1 or 0. */
async function there({ url }: SideInput): Promise<{ there: number }> {
  await using server = await startServer('ours', url)
  const { paths } = await ask<{ paths: Record<string, unknown> }>(server.url, '/openapi.json')
  return { there: eventsPath in paths ? 1 : 0 }
}

/** `count` seconds with a worker beside and `perSecond` events a second. */
async function hear({ url, count: seconds, perSecond }: SideInput): Promise<Record<keyof Heard, number>> {
  await using server = await startServer('working', url)
  const reading = Array.from({ length: readers }, () => new Listener())
  for (let n = 0; n < listeners; n++) await listen(server.url, reading[n] ?? null)
  const [first] = reading as [Listener]
  const warm = await enqueue(server.url, warmUpJobs, warmUpJobs)
  await allHeard([first], warm)
  // A job makes several: enqueued, started, completed.
  const eventsPerJob = Math.max(1, first.events / warm.size)
  for (const each of reading) each.heard.clear()
  const eventsBefore = first.events
  const startedAt = sharedNow()
  server.mark()
  const sent = await enqueue(server.url, (seconds * perSecond) / eventsPerJob, perSecond / eventsPerJob)
  await allHeard(reading, sent)
  const elapsedSeconds = (sharedNow() - startedAt) / 1_000
  const lags = reading.flatMap(({ heard }) => [...sent].map(([id, at]) => (heard.get(id) ?? Number.NaN) - at))
  return {
    ...(await server.report()),
    eventsPerSecond: (first.events - eventsBefore) / elapsedSeconds,
    p50: percentile(lags, 0.5),
    p99: percentile(lags, 0.99),
  }
}

const longestLagMs = 10_000

async function allHeard(of: Listener[], sent: Map<string, number>): Promise<void> {
  const endsAt = sharedNow() + longestLagMs
  for (const { heard } of of)
    while ([...sent.keys()].some(id => !heard.has(id))) {
      if (sharedNow() > endsAt) {
        const missed = [...sent.keys()].filter(id => !heard.has(id)).length
        throw new Error(
          `a listener has not heard of ${missed} of ${sent.size} jobs within ${longestLagMs} ms`,
        )
      }
      await wait(tickMs)
    }
}

export const sides: Sides = {
  there,
  hear,
}
