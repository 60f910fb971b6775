import { type Bench, type Figure, runSide, type Store } from '../harness.ts'
import { median, shown } from '../numbers.ts'
import { peersMissing } from '../peers.ts'
import { type Result, result } from '../result.ts'

const http = new URL('../sides/http.ts', import.meta.url).href
const sse = new URL('../sides/http-sse.ts', import.meta.url).href
const raw = 'raw Hono, one constant answer'

/** What a round of one side found, by name. */
type Found = Record<string, number>

const field = (found: Found[], name: string): number[] => found.map(each => each[name] ?? Number.NaN)
const cpuNote = (found: Found[]): string => `${shown(median(field(found, 'cpuMicros')))} µs CPU a request`

const enqueue: Figure = {
  name: 'http-enqueue',
  about: 'POST /api/v1/jobs by 50 connections, with a token and a checked payload, against a constant answer',
  async measure(bench) {
    const seconds = bench.pick(3, 10)
    const ours: Found[] = []
    const peer: Found[] = []
    const side = (name: string, into: Found[]) => (): Promise<number> =>
      bench.withStore('ours', 0, async store => {
        const found = await runSide(http, name, { ...store, count: seconds })
        into.push(found)
        return found['rate'] ?? Number.NaN
      })
    await bench.rounds('http-enqueue', bench.pick(2, 5), {
      ours: side('enqueue', ours),
      raw: side('raw', peer),
    })
    return [
      ...row('http-enqueue', 'requests/s', 'rate', `ours ${cpuNote(ours)}, raw ${cpuNote(peer)}`),
      ...row('http-enqueue-p99', 'ms', 'p99'),
    ]

    function row(name: string, unit: string, of: string, note?: string): Result[] {
      return [result(name, unit, { ours: field(ours, of), peer: field(peer, of) }, raw, note)]
    }
  },
}

const get: Figure = {
  name: 'http-get',
  about: 'GET /api/v1/jobs/{id} by 50 connections: the job with its attempts and logs',
  async measure(bench) {
    const seconds = bench.pick(3, 10)
    const all: Found[] = []
    await bench.rounds('http-get', bench.pick(2, 5), {
      ours: () => withJobs(bench, 1_000, store => run(all, 'get', { ...store, count: seconds })),
    })
    return [
      result('http-get', 'requests/s', { ours: field(all, 'rate') }, null, cpuNote(all)),
      result('http-get-p99', 'ms', { ours: field(all, 'p99') }),
    ]
  },
}

const list: Figure = {
  name: 'http-list-1m',
  about: 'GET /api/v1/jobs by type and state, from a cursor in the middle of 1,000,000 jobs (quick: 50,000)',
  async measure(bench) {
    const jobs = bench.pick(50_000, 1_000_000)
    const seconds = bench.pick(3, 10)
    const perSecond = 200
    const all: Found[] = []
    await bench.rounds('http-list-1m', bench.pick(2, 5), {
      ours: () =>
        withJobs(bench, jobs, async store => {
          await run(all, 'list', { ...store, count: seconds, perSecond })
          return all.at(-1)?.['p99'] ?? Number.NaN
        }),
    })
    const depth = median(field(all, 'depth')).toLocaleString('en-US')
    const note = `${perSecond} requests/s, evenly, for 50 of ${jobs.toLocaleString('en-US')} jobs, one in ten of that type, ${depth} of it passed; ${cpuNote(all)}`
    return [
      result('http-list-1m-p99', 'ms', { ours: field(all, 'p99') }, null, note),
      result('http-list-1m-p50', 'ms', { ours: field(all, 'p50') }),
      result(
        'http-list-1m-full',
        'requests/s',
        { ours: field(all, 'fullRate') },
        null,
        '10 connections, as much as goes',
      ),
      result('http-list-1m-full-p99', 'ms', { ours: field(all, 'fullP99') }),
    ]
  },
}

const events: Figure = {
  name: 'http-sse-500',
  about: '500 listeners to GET /api/v1/events at 1,000 events/s (quick: 200): memory of the server, and lag',
  async measure(bench) {
    const { there } = await bench.withStore('ours', 0, store => runSide(sse, 'there', store))
    if (!there) {
      bench.say('  http-sse-500 is skipped: the API has no GET /api/v1/events yet')
      return []
    }
    const seconds = bench.pick(5, 20)
    const perSecond = bench.pick(200, 1_000)
    const all: Found[] = []
    await bench.rounds('http-sse-500', bench.pick(1, 3), {
      ours: () =>
        bench.withStore('ours', 0, async store => {
          all.push(await runSide(sse, 'hear', { ...store, count: seconds, perSecond }))
          return all.at(-1)?.['p99'] ?? Number.NaN
        }),
    })
    const came = `${shown(median(field(all, 'eventsPerSecond')))} events/s came to each`
    return [
      result(
        'http-sse-500-memory',
        'MB',
        { ours: field(all, 'peakRssMb') },
        null,
        `peak RSS of the server; ${came}`,
      ),
      result('http-sse-500-p99', 'ms', { ours: field(all, 'p99') }, null, 'from the call of enqueue'),
    ]
  },
}

/** With a store of that many jobs, which is filled once in a run: whoever uses it only reads. */
function withJobs<T>(bench: Bench, jobs: number, use: (store: Store) => Promise<T>): Promise<T> {
  return bench.withKept(`http-${jobs}`, store => runSide(http, 'fill', { ...store, count: jobs }), use)
}

async function run(
  into: Found[],
  side: string,
  input: Store & { count: number; perSecond?: number },
): Promise<number> {
  const found = await runSide(http, side, input)
  into.push(found)
  return found['rate'] ?? Number.NaN
}

/** The load comes from a package that is installed with the peers. */
function loaded(figure: Figure): Figure {
  return {
    ...figure,
    measure(bench) {
      const missing = peersMissing()
      if (missing) throw new Error(`${figure.name} needs autocannon: ${missing}`)
      return figure.measure(bench)
    },
  }
}

/** Of both SQL engines. */
export const httpFigures: Figure[] = [...[enqueue, get, list].map(loaded), events]
