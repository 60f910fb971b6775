import { isQueueError, isTerminal, type Job, type Millrace } from 'millrace'
import type { Principal } from '../access/principal.ts'
import { type Route, route } from '../border/route.ts'
import { defined } from '../defined.ts'
import {
  editJob,
  getJob,
  jobResult,
  jobSignals,
  jobSteps,
  listJobs,
  removeJob,
  searchJobs,
  whyJob,
} from '../contract/jobs.ts'
import { formatInstant, jobDocument, jobSummary, stepDocument, whyDocument } from '../documents/index.ts'
import { Problem } from '../problem.ts'
import { jobFilter } from './job-filter.ts'
import { ownJob, owns } from './ownership.ts'

export const jobRoutes: Route[] = [
  route(listJobs, async ({ millrace, principal, query }) => {
    const { limit, cursor, ...rest } = query
    const page = await millrace.list(jobFilter(principal, rest), { limit, ...defined({ cursor }) })
    return { status: 200, body: { jobs: page.jobs.map(jobSummary), cursor: page.cursor } }
  }),

  route(searchJobs, async ({ millrace, principal, query }) => {
    const { text, look, limit, cursor, ...rest } = query
    const filter = jobFilter(principal, rest)
    const found = await millrace.search(text, { filter, look, limit, ...defined({ cursor }) })
    // What a cursor has kept from an earlier page is read by id, and a cursor comes from outside.
    const jobs = found.jobs.filter(job => owns(principal, job.tenant))
    const { looked, complete, lookedBackTo } = found
    return {
      status: 200,
      body: {
        jobs: jobs.map(jobSummary),
        looked,
        complete,
        lookedBackTo: lookedBackTo === null ? null : formatInstant(lookedBackTo),
        cursor: found.cursor,
      },
    }
  }),

  route(getJob, async ({ millrace, principal, params }) => {
    const job = await ownJob(millrace, principal, params.id)
    const [attempts, logs] = await Promise.all([millrace.attempts(job.id), millrace.logs(job.id)])
    return { status: 200, body: jobDocument(job, attempts, logs) }
  }),

  route(editJob, async ({ millrace, principal, params, body, changed }) => {
    const before = await ownJob(millrace, principal, params.id)
    const { queue, ...when } = body
    const answer = await millrace.reschedule(before.id, defined({ ...when, queue }))
    if (answer === 'not-queued')
      throw new Problem('conflict', `Job ${before.id} is ${before.state}; only a queued job can be changed.`)
    const after = await ownJob(millrace, principal, before.id)
    changed({ target: `job ${before.id}`, before: planOf(before), after: planOf(after) })
    return { status: 200, body: jobSummary(after) }
  }),

  route(removeJob, async ({ millrace, principal, params, changed }) => {
    const job = await ownJob(millrace, principal, params.id)
    const answer = await millrace.remove(job.id)
    if (answer === 'running')
      throw new Problem('conflict', `Job ${job.id} runs; cancel it, and delete it when it has stopped.`)
    if (answer === 'in-flow')
      throw new Problem(
        'conflict',
        `Job ${job.id} belongs to a flow that has not finished; cancel the flow first.`,
      )
    changed({ target: `job ${job.id}`, before: { type: job.type, state: job.state } })
    return { status: 204, body: undefined }
  }),

  route(whyJob, async ({ millrace, principal, params }) => {
    const { id } = await ownJob(millrace, principal, params.id)
    return { status: 200, body: whyDocument(await millrace.why(id)) }
  }),

  route(jobSteps, async ({ millrace, principal, params }) => {
    const { id } = await ownJob(millrace, principal, params.id)
    return { status: 200, body: { steps: (await millrace.steps(id)).map(stepDocument) } }
  }),

  route(jobSignals, async ({ millrace, principal, params }) => {
    const { id } = await ownJob(millrace, principal, params.id)
    const signals = await millrace.signals(id)
    return {
      status: 200,
      body: {
        signals: signals.map(({ name, payload, at }) => ({ name, payload, sentAt: formatInstant(at) })),
      },
    }
  }),

  route(jobResult, async ({ millrace, principal, params, query, c, stopping }) => {
    const before = await ownJob(millrace, principal, params.id)
    const job = isTerminal(before.state)
      ? before
      : await finished(
          millrace,
          principal,
          before,
          query.waitMs,
          AbortSignal.any([c.req.raw.signal, stopping]),
        )
    if (job.state !== 'completed' && job.state !== 'cancelled' && job.state !== 'dead')
      return { status: 202, body: { id: job.id, state: job.state } }
    return {
      status: 200,
      body: {
        id: job.id,
        state: job.state,
        result: job.result,
        error: job.state === 'dead' ? job.lastError : null,
        cancelReason: job.cancelReason,
        finishedAt: job.finishedAt === null ? null : formatInstant(job.finishedAt),
      },
    }
  }),
]

/** The job when it has finished, or as it stands when the time is up. */
async function finished(
  millrace: Millrace,
  principal: Principal,
  { id }: Job,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Job> {
  if (timeoutMs > 0)
    await millrace.result(id, { timeoutMs, signal }).catch(error => signal.aborted || ignoreEnd(error))
  return ownJob(millrace, principal, id)
}

/** How it ended is read from the job. */
function ignoreEnd(error: unknown): void {
  const codes = ['timeout', 'job-dead', 'job-cancelled', 'not-found'] as const
  if (!codes.some(code => isQueueError(error, code))) throw error
}

function planOf({ runAt, priority, queue }: Job): object {
  return { runAt: formatInstant(runAt), priority, queue }
}
