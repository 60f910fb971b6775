import type { ClientBase } from 'pg'
import { asking } from './postgres-client.ts'
import type { Effect, Effects } from './target.ts'

const effects: Effects = {
  prepare: url =>
    asking(url, async client => {
      await client.query(
        'CREATE TABLE IF NOT EXISTS crash_effects (job_id text NOT NULL, epoch int NOT NULL)',
      )
    }),
  record: async (tx, effect) => {
    const insert = 'INSERT INTO crash_effects (job_id, epoch) VALUES ($1, $2)'
    await (tx as ClientBase).query(insert, [effect.jobId, effect.epoch])
  },
  read: url =>
    asking(url, async client => {
      const { rows } = await client.query<Effect>('SELECT job_id AS "jobId", epoch FROM crash_effects')
      return rows
    }),
}
export default effects
