import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Figure, result, type Sides } from '../harness.ts'
import { fillOurs, processOurs } from '../ours.ts'
import { processCopy, processOnce } from './process-100k.ts'

export const figure: Figure = {
  name: 'history-1m',
  about: 'process 100,000 jobs with 1,000,000 finished ones in the history, against the same without them',
  async measure(bench) {
    const large = await bench.template('ours-history-1m', folder =>
      bench.side(import.meta.url, 'history', { folder, count: 1_000_000 }),
    )
    const found = await bench.rounds('history-1m', bench.pick(1, 5), {
      ours: async () => (await processCopy(bench, large, 'ours')).rate,
      small: async () => (await processOnce(bench, 'ours')).rate,
    })
    return [result('history-1m', 'jobs/s', { ours: found.ours, peer: found.small }, 'ours, no history')]
  },
}

export const sides: Sides = {
  /** One real job is completed; SQL makes the others in its likeness, a millisecond apart, ending now. */
  history: async ({ folder, count }) => {
    await fillOurs(folder, 1)
    await processOurs(folder, 1)
    const database = new DatabaseSync(join(folder, 'bench.db'))
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
    await fillOurs(folder, 100_000)
    return {}
  },
}
