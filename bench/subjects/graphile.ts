import pg from 'pg'
import { type Payload, sidesOf, type Subject, type Tuning, withTimeout } from './subject.ts'

/** What the bench uses of graphile-worker; said here, because the peers are installed only for the bench. */
interface GraphileModule {
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>
    addJob(identifier: string, payload: Payload): Promise<unknown>
    addJobs(specs: { identifier: string; payload: Payload }[]): Promise<unknown>
    release(): Promise<void>
  }>
  run(options: object): Promise<{ stop(): Promise<void> }>
  Logger: new (logs: () => () => void) => unknown
}

const module = 'graphile-worker'
const identifier = 'BENCH_NOOP'

/**
 * For throughput its documentation's own settings: neither a larger local queue nor more handlers or connections gained
 * anything here. For latency without the local queue.
 */
const tunings: Record<Tuning, object> = {
  throughput: {
    concurrentJobs: 24,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    preparedStatements: true,
  },
  latency: { concurrentJobs: 10, completeJobBatchDelay: 0, failJobBatchDelay: 0, preparedStatements: true },
  default: {},
}

async function open(url: string): Promise<Subject> {
  // Read when its modules load: it would write a line of log for each job.
  process.env['NO_LOG_SUCCESS'] = '1'
  const { makeWorkerUtils, run, Logger } = (await import(module)) as GraphileModule
  const logger = new Logger(() => () => {})
  const pgPool = new pg.Pool({ connectionString: url, max: 10 })
  // It refuses a pool that nobody listens to the errors of.
  pgPool.on('error', () => {})
  const utils = await makeWorkerUtils({ pgPool, logger })
  await utils.migrate()
  return {
    enqueue: payload => utils.addJob(identifier, payload),
    enqueueMany: payloads => utils.addJobs(payloads.map(payload => ({ identifier, payload }))),
    async work(handle, tuning) {
      const task = async (payload: Payload): Promise<void> => withTimeout(() => handle(payload))
      const runner = await run({
        pgPool,
        logger,
        noHandleSignals: true,
        taskList: { [identifier]: task },
        parsedCronItems: [],
        preset: { worker: tunings[tuning] },
      })
      return () => runner.stop()
    },
    async left() {
      const { rows } = await pgPool.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM graphile_worker._private_jobs',
      )
      return rows[0]?.count ?? Number.NaN
    },
    async close() {
      await utils.release()
      await pgPool.end()
    },
  }
}

export const sides = sidesOf(import.meta.url, open)
