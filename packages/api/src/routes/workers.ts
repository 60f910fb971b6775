import type { Job } from 'millrace'
import { type Route, route } from '../border/route.ts'
import { listWorkers } from '../contract/workers.ts'
import { workerDocument } from '../documents/index.ts'

/** Running jobs are found by an index of their own, so this many are read at once. */
const lookedAt = 500

export const workerRoutes: Route[] = [
  route(listWorkers, async ({ millrace }) => {
    const [workers, running] = await Promise.all([
      millrace.workers(),
      millrace.list({ states: ['running'] }, { limit: lookedAt }),
    ])
    const held = Map.groupBy(running.jobs, (job: Job) => job.worker)
    return {
      status: 200,
      body: {
        workers: workers.map(each => workerDocument(each, held.get(each.worker) ?? [])),
        allRunning: running.cursor === null,
      },
    }
  }),
]
