import { createWorker, handle } from '../../packages/queue/src/index.ts'
import { type Figure, runSide, type Sides } from '../harness.ts'
import { finish, noop, openOurs, sharedNow } from '../ours.ts'
import { evenly, gatherer, measureLatency } from './latency.ts'

export const figure: Figure = {
  name: 'latency-two-processes',
  about: 'the same with enqueues in one process and the worker in another',
  measure: bench =>
    measureLatency(bench, {
      name: 'latency-two-processes',
      module: import.meta.url,
      side: 'ours',
      bull: false,
    }),
}

export const sides: Sides = {
  ours: async input => {
    const { note, all } = gatherer(input.count)
    const millrace = openOurs(input.folder)
    const worker = createWorker(millrace, [handle(noop, ({ payload }) => note(payload.at ?? 0))])
    await worker.start()
    const producing = runSide(import.meta.url, 'producer', input)
    const found = await all
    await producing
    await finish(worker, millrace)
    return found
  },
  producer: async ({ folder, count }) => {
    const millrace = openOurs(folder)
    await millrace.open()
    await evenly(count, n => millrace.enqueue(noop, { n, at: sharedNow() }))
    await millrace.close()
    return {}
  },
}
