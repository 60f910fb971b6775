/** What the bench uses of BullMQ; said here, because the package is installed only where a Redis is at hand. */
interface BullJob {
  data: { n: number; at?: number }
}
export interface BullQueue {
  add(name: string, data: BullJob['data'], options?: object): Promise<unknown>
  addBulk(jobs: { name: string; data: BullJob['data'] }[]): Promise<unknown>
  obliterate(options: { force: boolean }): Promise<void>
  close(): Promise<void>
}
interface BullWorker {
  on(event: 'completed', listener: () => void): void
  waitUntilReady(): Promise<unknown>
  close(force?: boolean): Promise<void>
}
interface BullModule {
  Queue: new (name: string, options: object) => BullQueue
  Worker: new (name: string, run: (job: BullJob) => Promise<void>, options: object) => BullWorker
}

const module = 'bullmq'
const load = async (): Promise<BullModule> => (await import(module)) as BullModule

function connection(url: string): object {
  const { hostname, port, username, password, pathname } = new URL(url)
  return {
    connection: {
      host: hostname,
      port: Number(port || 6379),
      ...(username ? { username } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
      db: Number(pathname.slice(1) || 0),
      maxRetriesPerRequest: null,
    },
  }
}

/** Runs `use` with an empty queue of its own and removes it. */
export async function withBullQueue<T>(
  url: string,
  use: (queue: BullQueue, name: string) => Promise<T>,
): Promise<T> {
  const { Queue } = await load()
  const name = `millrace-bench-${process.pid}`
  const queue = new Queue(name, connection(url))
  try {
    return await use(queue, name)
  } finally {
    await queue.obliterate({ force: true })
    await queue.close()
  }
}

export async function fillBull(queue: BullQueue, count: number, size: number): Promise<void> {
  for (let n = 0; n < count; n += size)
    await queue.addBulk(
      Array.from({ length: Math.min(size, count - n) }, (_, index) => ({
        name: 'BENCH_NOOP',
        data: { n: n + index },
      })),
    )
}

/** Works on the queue until `count` jobs are completed; answers jobs a second. */
export async function processBull(url: string, name: string, count: number): Promise<number> {
  const { Worker } = await load()
  let done = 0
  const startedAt = performance.now()
  const run = async (job: BullJob): Promise<void> => {
    if (job.data.n < 0) throw new Error('not what was enqueued')
  }
  const worker = new Worker(name, run, { ...connection(url), concurrency: 200 })
  await new Promise<void>(resolve => worker.on('completed', () => ++done === count && resolve()))
  const seconds = (performance.now() - startedAt) / 1_000
  await worker.close()
  return count / seconds
}

export async function startBull(
  url: string,
  name: string,
  run: (job: BullJob) => void,
): Promise<() => Promise<void>> {
  const { Worker } = await load()
  const worker = new Worker(name, async job => run(job), { ...connection(url), concurrency: 10 })
  await worker.waitUntilReady()
  return () => worker.close()
}
