import { createMillrace, openEngine } from '../../packages/queue/src/index.ts'
import type { SideInput, Sides } from '../harness.ts'
import { pages, samplePayload } from './http-jobs.ts'
import { ask, load, type Load, type Loaded, loadEvenly, startServer } from './http-load.ts'

/** `cpuMicros` is the server's, of one request. */
export interface Answered extends Loaded {
  cpuMicros: number
}

const connections = 50
const warmUpSeconds = 2
const aFillingCall = 5_000
const deepPage = 200
const fullSeconds = 5

const enqueueing = {
  method: 'POST',
  requests: [{ path: '/api/v1/jobs', body: JSON.stringify({ type: 'BENCH_PAGE', payload: samplePayload }) }],
  connections,
  status: 201,
} as const satisfies Partial<Load>

/** Warms up, then measures. */
async function measured(
  url: string,
  of: Omit<Load, 'seconds'>,
  seconds: number,
  mark: () => void,
): Promise<Loaded[]> {
  const warm = await load(url, { ...of, seconds: Math.min(warmUpSeconds, seconds) })
  mark()
  return [await load(url, { ...of, seconds }), warm]
}

async function enqueue({ url, count: seconds }: SideInput, kind: 'ours' | 'raw'): Promise<Answered> {
  await using server = await startServer(kind, url)
  const all = await measured(server.url, enqueueing, seconds, server.mark)
  const { cpuMicros } = await server.report()
  if (kind === 'ours')
    await checkStored(
      server.url,
      all.reduce((sum, { count }) => sum + count, 0),
    )
  const [found] = all as [Loaded]
  return { ...found, cpuMicros: cpuMicros / found.count }
}

/** What was acknowledged must be there; at the end of each load some replies come too late to be counted. */
async function checkStored(url: string, acknowledged: number): Promise<void> {
  const { total } = await ask<{ total: { ready: number } }>(url, '/api/v1/stats')
  if (total.ready < acknowledged || total.ready > acknowledged + 4 * connections)
    throw new Error(`${acknowledged} jobs were acknowledged, and ${total.ready} are there`)
}

/** Reads single jobs of those that are there, at as many connections. */
async function get({ url, count: seconds }: SideInput): Promise<Answered> {
  await using server = await startServer('ours', url)
  const { jobs } = await ask<{ jobs: { id: string }[] }>(server.url, `/api/v1/jobs?limit=${deepPage}`)
  const requests = jobs.map(({ id }) => ({ path: `/api/v1/jobs/${id}` }))
  const reading = { method: 'GET', requests, connections, status: 200 } as const
  const [found] = (await measured(server.url, reading, seconds, server.mark)) as [Loaded]
  const { cpuMicros } = await server.report()
  return { ...found, cpuMicros: cpuMicros / found.count }
}

/**
 * Reads one page in the middle of what a filter finds: at an even pace, and then by ten connections that ask again as soon as
 * they are answered. `depth` is how many jobs stand before it.
 */
async function list({ url, count: seconds, perSecond }: SideInput): Promise<Record<string, number>> {
  await using server = await startServer('ours', url)
  const filter = '/api/v1/jobs?type=BENCH_PAGE_3&state=queued'
  const { byType } = await ask<{ byType: Record<string, { ready: number }> }>(server.url, '/api/v1/stats')
  const middle = (byType['BENCH_PAGE_3']?.ready ?? 0) / 2
  let cursor = ''
  let depth = 0
  for (; depth < middle; depth += deepPage)
    ({ cursor } = await ask<{ cursor: string }>(server.url, `${filter}&limit=${deepPage}${after(cursor)}`))
  const path = `${filter}&limit=50${after(cursor)}`
  await loadEvenly(server.url, { path, perSecond, seconds: warmUpSeconds })
  server.mark()
  const even = await loadEvenly(server.url, { path, perSecond, seconds })
  const { cpuMicros } = await server.report()
  const full = await load(server.url, {
    method: 'GET',
    requests: [{ path }],
    connections: 10,
    seconds: Math.min(fullSeconds, seconds),
    status: 200,
  })
  return { ...even, fullRate: full.rate, fullP99: full.p99, cpuMicros: cpuMicros / even.count, depth }
}

function after(cursor: string): string {
  return cursor && `&cursor=${encodeURIComponent(cursor)}`
}

/** Fills a store with jobs of ten types in turn. */
async function fill({ url, count }: SideInput): Promise<Record<string, number>> {
  const millrace = createMillrace({ engine: openEngine(url), jobs: pages })
  await millrace.open()
  const jobs = Array.from({ length: Math.min(aFillingCall, count) }, () => ({ payload: samplePayload }))
  for (let n = 0; n < count; n += jobs.length)
    await millrace.enqueueMany(pages[(n / jobs.length) % pages.length] as (typeof pages)[0], jobs)
  await millrace.close()
  return {}
}

const numbers = async (of: Promise<object>): Promise<Record<string, number>> => ({ ...(await of) })

export const sides: Sides = {
  enqueue: input => numbers(enqueue(input, 'ours')),
  raw: input => numbers(enqueue(input, 'raw')),
  get: input => numbers(get(input)),
  list,
  fill,
}
