import { type Route, route } from '../border/route.ts'
import { defined } from '../defined.ts'
import { cancelJob, retryJob, sendSignal } from '../contract/job-actions.ts'
import { Problem } from '../problem.ts'
import { intoPayload } from './enqueue.ts'
import { ownJob } from './ownership.ts'

export const jobActionRoutes: Route[] = [
  route(cancelJob, async ({ millrace, principal, params, body, changed }) => {
    const job = await ownJob(millrace, principal, params.id)
    const outcome = await millrace.cancel(job.id, defined(body))
    if (outcome === 'not-found') throw gone(job.id)
    changed({ target: `job ${job.id}`, before: { state: job.state }, after: { outcome, ...body } })
    return { status: outcome === 'requested' ? 202 : 200, body: { id: job.id, outcome } }
  }),

  route(retryJob, async ({ millrace, principal, params, body, changed }) => {
    const job = await ownJob(millrace, principal, params.id)
    const options = defined({ forgetSteps: body.forgetSteps })
    if (body.payload !== undefined) {
      const { id, duplicate } = await millrace.retryWith(job.id, body.payload).catch(intoPayload)
      changed({ target: `job ${job.id}`, before: { state: job.state }, after: { id, duplicate } })
      return { status: 201, body: { id, duplicate }, headers: { location: `/api/v1/jobs/${id}` } }
    }
    const outcome = await millrace.retry(job.id, options)
    if (outcome === 'not-found') throw gone(job.id)
    if (outcome === 'not-finished')
      throw new Problem('conflict', `Job ${job.id} is not finished; only a finished job can be retried.`)
    changed({ target: `job ${job.id}`, before: { state: job.state }, after: { outcome, ...options } })
    return { status: 200, body: { id: job.id, outcome } }
  }),

  route(sendSignal, async ({ millrace, principal, params, body, changed }) => {
    const { id } = await ownJob(millrace, principal, params.id)
    await millrace.signal(id, body.name, body.payload ?? null).catch(intoPayload)
    changed({ target: `job ${id}`, after: { signal: body.name } })
    return { status: 202, body: { id, name: body.name, outcome: 'delivered' as const } }
  }),
]

function gone(id: string): Problem {
  return new Problem('not-found', `There is no job ${id} any more.`)
}
