import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createMillrace, createWorker, handle, type Millrace, openEngine } from '../../src/index.ts'
import { eventually } from '../crash/eventually.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { plainJob } from './runtime-stage.ts'

it('sqlite: a worker of another process learns from the file that somebody watches the feed', async () => {
  const url = `file:${join(tempFolder(), 'queue.db')}`
  const opened = (): Millrace => {
    const millrace = createMillrace({ engine: openEngine(url) })
    onTestFinished(() => millrace.close())
    return millrace
  }
  const [here, elsewhere] = [opened(), opened()]
  const work = plainJob()
  // A heartbeat once in 40 seconds tells nobody in time.
  const worker = createWorker(elsewhere, [handle(work, () => 1)], { leaseMs: 120_000 })
  await worker.start()
  onTestFinished(() => worker.stop())
  const follower = here.feed.follow({ events: ['completed'] })
  await follower.started
  await eventually('the worker listens', 10_000, () => elsewhere.events.heard('completed'))
  const { id } = await here.enqueue(work, {})
  expect(await follower.next()).toMatchObject({ value: { event: 'completed', id } })
})
