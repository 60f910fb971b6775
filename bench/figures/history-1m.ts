import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { SqliteBench } from '../engines/sqlite.ts'
import { type Figure, runSide, type Sides } from '../harness.ts'
import { result } from '../result.ts'
import { worked, workOff } from './work.ts'

const jobs = 100_000

export const figure: Figure<SqliteBench> = {
  name: 'history-1m',
  about: 'process 100,000 jobs with 1,000,000 finished ones in the history, against the same without them',
  async measure(bench) {
    const large = await bench.template('ours-history-1m', async file => {
      await bench.run('ours', 'fill', { ...file, count: 1 })
      await bench.run('ours', 'work', { ...file, count: 1 })
      await runSide(import.meta.url, 'history', { ...file, count: 1_000_000 })
      await bench.run('ours', 'fill', { ...file, count: jobs })
    })
    const found = await bench.rounds('history-1m', bench.pick(1, 5), {
      ours: () =>
        bench.withCopy(large, async file => (await worked(bench, 'ours', { ...file, count: jobs })).rate),
      small: async () => (await workOff(bench, 'ours', jobs)).rate,
    })
    const { ours = [], small = [] } = found
    return [result('history-1m', 'jobs/s', { ours, peer: small }, 'ours, no history')]
  },
}

export const sides: Sides = {
  /** From the one completed job SQL makes the others in its likeness, a millisecond apart, ending now. */
  history: async ({ url, count }) => {
    const database = new DatabaseSync(fileURLToPath(url))
    const copied = (database.prepare('PRAGMA table_info(millrace_history)').all() as { name: string }[])
      .map(column => column.name)
      .filter(name => !['seq', 'id', 'created_at', 'run_at', 'started_at', 'finished_at'].includes(name))
    database.exec(`
      BEGIN IMMEDIATE;
      INSERT INTO millrace_history (id, created_at, run_at, started_at, finished_at, ${copied})
      WITH RECURSIVE step (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM step WHERE i < ${count})
      SELECT unhex(printf('%012x7000', finished_at - ${count} + i) || hex(randomblob(8))),
        finished_at - ${count} + i, finished_at - ${count} + i, finished_at - ${count} + i, finished_at - ${count} + i,
        ${copied} FROM step, (SELECT * FROM millrace_history LIMIT 1);
      UPDATE millrace_counter SET count = count + ${count} WHERE phase = 4;
      COMMIT;
      PRAGMA wal_checkpoint(TRUNCATE);
    `)
    database.close()
    return {}
  },
}
