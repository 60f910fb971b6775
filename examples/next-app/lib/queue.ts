import { sharedApplication } from '@millrace/api'
import { defineJob, handle } from 'millrace'
import { z } from 'zod'

export const greet = defineJob({
  type: 'GREET',
  payload: z.object({ name: z.string().min(1) }),
  timeoutMs: 10_000,
})

/** No process of its own: a cron calls `/api/cron/drain` once a minute. WORKER=1 starts a worker in the server. */
export const queue = sharedApplication({
  url: process.env.MILLRACE_URL ?? 'file:.millrace/millrace.db',
  modules: [
    {
      name: 'greetings',
      jobs: [greet],
      handlers: [handle(greet, ({ payload }) => `Hello, ${payload.name}`)],
    },
  ],
  drain: { budgetMs: 50_000 },
  worker: process.env.WORKER === '1' ? {} : false,
})
