import { defineJob, handle } from 'millrace'
import { z } from 'zod'
import { sharedApplication } from '@millrace/api'

/** A process whose worker runs a job that ends only when it is told to; says the job's id when it has begun. */
const wait = defineJob({ type: 'WAIT', payload: z.object({}) })
const handler = handle(wait, async ({ job, signal }) => {
  console.log(job.id)
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
})
const application = sharedApplication({
  url: process.argv[2] as string,
  worker: {},
  modules: [{ name: 'wait', jobs: [wait], handlers: [handler] }],
})
await (await application.millrace()).enqueue(wait, {})
