import { sharedApplication } from '@millrace/api'
import { defineJob, handle } from 'millrace'
import { z } from 'zod'

export const greet = defineJob({ type: 'GREET', payload: z.object({ name: z.string().min(1) }) })

export const queue = sharedApplication({
  url: process.env.MILLRACE_URL ?? 'file:.millrace/millrace.db',
  modules: [
    {
      name: 'greetings',
      jobs: [greet],
      handlers: [handle(greet, ({ payload }) => `Hello, ${payload.name}`)],
    },
  ],
  worker: {},
})
