import type { Database, PostgresBench } from '../engines/postgres.ts'
import type { Figure } from '../harness.ts'
import { result } from '../result.ts'
import { worked, workOff } from './work.ts'

const jobs = 100_000

export const figure: Figure<PostgresBench> = {
  name: 'history-10m',
  about:
    'process 100,000 jobs with 10,000,000 finished ones (quick: 1,000,000), against the same without them',
  async measure(bench) {
    const history = await historyOf(bench)
    const found = await bench.rounds('history-10m', bench.pick(3, 5), {
      ours: async () => {
        await bench.run('ours', 'fill', { ...history, count: jobs })
        await bench.rest(history)
        return (await worked(bench, 'ours', { ...history, count: jobs })).rate
      },
      alone: async () => (await workOff(bench, 'ours', jobs)).rate,
    })
    const { ours = [], alone = [] } = found
    return [result('history-10m', 'jobs/s', { ours, peer: alone }, 'ours, no history', sizeNote(bench))]
  },
}

export function sizeNote(bench: PostgresBench): string {
  return `${historySize(bench).toLocaleString('en-US')} finished jobs`
}

const historySize = (bench: PostgresBench): number => bench.pick(1_000_000, 10_000_000)

/** A database whose history was made by SQL, in the likeness of one job that was worked off. */
export function historyOf(bench: PostgresBench): Promise<Database> {
  const count = historySize(bench)
  return bench.once('history', async database => {
    await bench.run('ours', 'fill', { ...database, count: 1 })
    await bench.run('ours', 'work', { ...database, count: 1 })
    bench.say(`  history-10m: making ${sizeNote(bench)} …`)
    for (const statement of await historySql(bench, database, count))
      await bench.query(database.url, statement)
    await bench.rest(database)
    await bench.query(database.url, 'CHECKPOINT')
  })
}

const hourMs = 3_600_000
/** Finished together, as a settle does it. */
const aChunk = 500

/** The jobs in the likeness of the first, the log of their ends, and the counters; spread over the last twenty hours. */
async function historySql(bench: PostgresBench, database: Database, count: number): Promise<string[]> {
  const columns = await bench.query<{ name: string }>(
    database.url,
    `SELECT quote_ident(column_name) AS name FROM information_schema.columns
     WHERE table_schema = 'millrace' AND table_name = 'job'
       AND column_name NOT IN ('id', 'created_at', 'run_at', 'finished_at')`,
  )
  const copied = columns.map(({ name }) => name)
  const chunks = Math.ceil(count / aChunk)
  const startMs = Date.now() - 20 * hourMs
  const chunkMs = (20 * hourMs) / chunks
  const at = `(${startMs} + c * ${chunkMs}::float8)::int8`
  const id = `(lpad(to_hex(${at}), 12, '0') || '7' || substr(md5(c || '-' || i), 1, 3) || '8' || substr(md5(c || '-' || i), 4, 15))::uuid`
  const each = `generate_series(1, ${chunks}) AS c, generate_series(1, ${aChunk}) AS i`
  return [
    `SELECT millrace.make_weeks(${startMs}, 1)`,
    `INSERT INTO millrace.job (id, created_at, run_at, finished_at, ${copied.join(', ')})
     SELECT ${id}, ${at}, ${at}, ${at} + 1, ${copied.map(name => `one.${name}`).join(', ')}
     FROM ${each}, (SELECT * FROM millrace.job LIMIT 1) AS one`,
    `INSERT INTO millrace.finished (kind, state, at, ids)
     SELECT one.kind, one.state, ${at} + 1, array_agg(${id}) FROM ${each}, (SELECT kind, state FROM millrace.finished LIMIT 1) AS one
     GROUP BY c, one.kind, one.state ORDER BY c`,
    `INSERT INTO millrace.delta (seq, at, kind, completed)
     SELECT pg_current_xact_id()::text::int8 << 20, ${startMs}, kind, ${chunks * aChunk} FROM millrace.finished LIMIT 1`,
  ]
}
