import { type Payload, sidesOf, type Subject, type Tuning, withTimeout } from './subject.ts'

/** What the bench uses of pg-boss; said here, because the peers are installed only for the bench. */
interface PgBoss {
  on(event: 'error', listener: (error: Error) => void): void
  start(): Promise<unknown>
  stop(options: object): Promise<void>
  createQueue(name: string, options: object): Promise<void>
  send(name: string, data: Payload): Promise<unknown>
  insert(name: string, jobs: { data: Payload }[]): Promise<unknown>
  work(name: string, options: object, handler: (jobs: { data: Payload }[]) => Promise<void>): Promise<unknown>
  getDb(): { executeSql(sql: string): Promise<{ rows: unknown[] }> }
}
interface BossModule {
  PgBoss: new (options: object) => PgBoss
}

const module = 'pg-boss'
const queue = 'bench_noop'

const tunings: Record<Tuning, object> = {
  throughput: {
    batchSize: 1_000,
    localConcurrency: 4,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 0.5,
  },
  latency: { localConcurrency: 10 },
  default: {},
}

async function open(url: string): Promise<Subject> {
  const { PgBoss } = (await import(module)) as BossModule
  const boss = new PgBoss({ connectionString: url, max: 10, useListenNotify: true })
  boss.on('error', error => console.error(error))
  await boss.start()
  await boss.createQueue(queue, { notify: true })
  return {
    enqueue: payload => boss.send(queue, payload),
    enqueueMany: payloads =>
      boss.insert(
        queue,
        payloads.map(data => ({ data })),
      ),
    async work(run, tuning) {
      // It gives a handler the jobs of a claim at once, and settles them with one statement.
      await boss.work(queue, tunings[tuning], async jobs => {
        for (const { data } of jobs) withTimeout(() => run(data))
      })
      return () => boss.stop({ graceful: true })
    },
    async left() {
      const { rows } = await boss
        .getDb()
        .executeSql(
          `SELECT count(*)::int AS count FROM pgboss.job WHERE name = '${queue}' AND state < 'completed'`,
        )
      return (rows[0] as { count: number }).count
    },
    close: () => boss.stop({ graceful: false }),
  }
}

export const sides = sidesOf(import.meta.url, open)
