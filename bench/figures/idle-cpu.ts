import { createWorker, handle } from '../../packages/queue/src/index.ts'
import { type Figure, result, type Sides } from '../harness.ts'
import { finish, noop, openOurs } from '../ours.ts'

export const figure: Figure = {
  name: 'idle-cpu',
  about: 'the share of one core that a worker uses which has nothing to do',
  async measure(bench) {
    const count = bench.pick(5, 10)
    const found = await bench.rounds('idle-cpu', bench.pick(1, 3), {
      ours: () =>
        bench.withFolder(async folder => {
          const { percent } = await bench.side(import.meta.url, 'ours', { folder, count })
          return percent ?? Number.NaN
        }),
    })
    return [result('idle-cpu', '% of a core', found, null, `over ${count} s`)]
  },
}

export const sides: Sides = {
  ours: async ({ folder, count: seconds }) => {
    const millrace = openOurs(folder)
    const worker = createWorker(millrace, [handle(noop, () => {})])
    await worker.start()
    await wait(2_000)
    const before = process.cpuUsage()
    const startedAt = performance.now()
    await wait(seconds * 1_000)
    const { user, system } = process.cpuUsage(before)
    const percent = (100 * (user + system)) / ((performance.now() - startedAt) * 1_000)
    await finish(worker, millrace)
    return { percent }
  },
}

function wait(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
