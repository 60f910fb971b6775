import { type OpenSubject, type Payload, type Tuning, withTimeout } from './subject.ts'

/** What the bench uses of BullMQ; said here, because the peers are installed only for the bench. */
interface BullQueue {
  waitUntilReady(): Promise<unknown>
  add(name: string, data: Payload, options?: object): Promise<unknown>
  addBulk(jobs: { name: string; data: Payload }[]): Promise<unknown>
  getJobCountByTypes(...types: string[]): Promise<number>
  obliterate(options: { force: boolean }): Promise<void>
  close(): Promise<void>
}
interface BullWorker {
  waitUntilReady(): Promise<unknown>
  close(force?: boolean): Promise<void>
}
export interface BullClasses {
  Queue: new (name: string, options: object) => BullQueue
  Worker: new (name: string, run: (job: { data: Payload }) => Promise<void>, options: object) => BullWorker
}
export interface BullModule extends BullClasses {
  withBackend(factory: unknown): BullClasses
  createPostgresBackend: unknown
}

const module = 'bullmq'
const queueName = 'millrace-bench'
const jobName = 'BENCH_NOOP'

export async function loadBull(): Promise<BullModule> {
  return (await import(module)) as BullModule
}

/** BullMQ on one of its backends: which, `connect` says. */
export function openBull(
  connect: (url: string) => Promise<{ classes: BullClasses; connection: object }>,
  concurrency: Record<Tuning, number>,
): OpenSubject {
  return async url => {
    const { classes, connection } = await connect(url)
    const queue = new classes.Queue(queueName, { connection })
    await queue.waitUntilReady()
    return {
      enqueue: payload => queue.add(jobName, payload),
      enqueueMany: payloads => queue.addBulk(payloads.map(data => ({ name: jobName, data }))),
      async work(run, tuning) {
        const perform = async ({ data }: { data: Payload }): Promise<void> => withTimeout(() => run(data))
        const options = { connection, concurrency: concurrency[tuning] }
        const worker = new classes.Worker(queueName, perform, options)
        await worker.waitUntilReady()
        return () => worker.close()
      },
      left: () => queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized'),
      close: () => queue.close(),
    }
  }
}

/** Removes the bench's queue from a server that is not the bench's own. */
export async function obliterate(classes: BullClasses, connection: object): Promise<void> {
  const queue = new classes.Queue(queueName, { connection })
  await queue.obliterate({ force: true })
  await queue.close()
}
