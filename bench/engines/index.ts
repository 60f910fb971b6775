import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { flowBounds, httpBounds, postgresBounds } from '../bounds.ts'
import { flowFigures } from '../figures/flow.ts'
import { httpFigures } from '../figures/http.ts'
import { postgresFigures, sqliteFigures } from '../figures/index.ts'
import type { Bench, Figure } from '../harness.ts'
import { profilePostgres } from '../profile/postgres.ts'
import { profileSqlite } from '../profile/sqlite.ts'
import { type Bound, judged, type Result } from '../result.ts'
import { PostgresBench } from './postgres.ts'
import { SqliteBench } from './sqlite.ts'

export interface RunOptions {
  quick: boolean
  profile: boolean
  /** Names of figures; all when null. */
  only: string[] | null
  say: (line: string) => void
}

interface Engine {
  figures: readonly Pick<Figure, 'name' | 'about'>[]
  /** Where its stores are, to tell how fast that is. */
  folder: string
  run(options: RunOptions): Promise<{ results: Result[]; profile: string | null; servers: string }>
}

function engine<Of extends Bench>(of: {
  figures: readonly Figure<Of>[]
  bounds: Bound[]
  folder: string
  start(options: RunOptions): Promise<Of>
  profile(bench: Of): Promise<string>
}): Engine {
  return {
    figures: of.figures,
    folder: of.folder,
    async run(options) {
      const bench = await of.start(options)
      try {
        const servers = await bench.describe()
        options.say(servers)
        if (options.profile) return { results: [], profile: await of.profile(bench), servers }
        const results: Result[] = []
        for (const { name, about, measure } of of.figures) {
          if (options.only && !options.only.includes(name)) continue
          options.say(`${name}: ${about}`)
          results.push(...judged(await measure(bench), of.bounds))
        }
        return { results, profile: null, servers }
      } finally {
        await bench.stop()
      }
    },
  }
}

const root = fileURLToPath(new URL('../../.millrace/bench', import.meta.url))

const sqlite = {
  folder: root,
  start: (options: RunOptions) => SqliteBench.start({ ...options, root }),
  profile: profileSqlite,
}
const postgres = {
  folder: tmpdir(),
  start: (options: RunOptions) => PostgresBench.start(options),
  profile: profilePostgres,
}

export const engines: Record<string, Engine> = {
  sqlite: engine({ ...sqlite, figures: sqliteFigures, bounds: [] }),
  postgres: engine({ ...postgres, figures: postgresFigures, bounds: postgresBounds }),
  flow: onBoth(flowFigures, flowBounds),
  http: onBoth(httpFigures, httpBounds),
}

function onBoth(figures: readonly Figure[], bounds: Record<'sqlite' | 'postgres', Bound[]>): Engine {
  const profile = (): Promise<string> => Promise.resolve('')
  return both([
    ['sqlite', engine<Bench>({ ...sqlite, figures, bounds: bounds.sqlite, profile })],
    ['postgres', engine<Bench>({ ...postgres, figures, bounds: bounds.postgres, profile })],
  ])
}

/** The same figures of several engines, one after the other; each result says whose it is. */
function both(each: [name: string, engine: Engine][]): Engine {
  const [[, first]] = each as [(typeof each)[0]]
  return {
    figures: first.figures,
    folder: first.folder,
    async run(options) {
      const results: Result[] = []
      const servers: string[] = []
      for (const [name, { run }] of each) {
        const found = await run({ ...options, profile: false })
        results.push(...found.results.map(result => ({ ...result, name: `${result.name} (${name})` })))
        servers.push(found.servers)
      }
      return { results, profile: null, servers: servers.join('; ') }
    },
  }
}
