import type { Millrace, QueueSettings } from 'millrace'
import type { Asked, Change, Route } from '../border/route.ts'
import { route } from '../border/route.ts'
import { defined } from '../defined.ts'
import { editQueue, getQueue, listQueues, pauseQueue, resumeQueue } from '../contract/queues.ts'
import { type QueueDocument, queueDocument } from '../documents/index.ts'
import { Problem } from '../problem.ts'

export const queueRoutes: Route[] = [
  route(listQueues, async ({ millrace }) => {
    const [queues, { byQueue }] = await Promise.all([millrace.queues(), millrace.stats()])
    return { status: 200, body: { queues: queues.map(each => queueDocument(each, byQueue[each.queue])) } }
  }),

  route(getQueue, async ({ millrace, params }) => {
    const queue = await find(millrace, params.queue)
    if (queue) return { status: 200, body: queue }
    throw new Problem(
      'not-found',
      `There is no queue ${params.queue}: never configured, and no job was in it.`,
    )
  }),

  route(editQueue, async ({ body, ...asked }) => ({
    status: 200,
    body: await change(asked, defined(body)),
  })),

  route(pauseQueue, async asked => ({ status: 200, body: await change(asked, { paused: true }) })),

  route(resumeQueue, async asked => ({ status: 200, body: await change(asked, { paused: false }) })),
]

type Steering = Pick<Asked<typeof pauseQueue>, 'millrace' | 'params' | 'changed'>

async function change(
  { millrace, params: { queue }, changed }: Steering,
  settings: QueueSettings,
): Promise<QueueDocument> {
  const before = await find(millrace, queue)
  await millrace.configureQueue(queue, settings)
  const after = await find(millrace, queue)
  changed({ target: `queue ${queue}`, before: settingsOf(before), after: settingsOf(after) } satisfies Change)
  return after ?? queueDocument({ queue, paused: false, maxQueued: null, ...settings }, undefined)
}

async function find(millrace: Millrace, name: string): Promise<QueueDocument | null> {
  const [queues, { byQueue }] = await Promise.all([millrace.queues(), millrace.stats()])
  const record = queues.find(each => each.queue === name)
  return record ? queueDocument(record, byQueue[name]) : null
}

function settingsOf(queue: QueueDocument | null): object | null {
  return queue && { paused: queue.paused, maxQueued: queue.maxQueued }
}
