import { Hono } from 'hono'
import { type EnqueueOptions, isQueueError, type Millrace, QueueError } from 'millrace'
import { readJsonBody } from '../body.ts'
import { check } from '../check.ts'
import { jobDocument, jobSummary } from '../documents/index.ts'
import { Problem } from '../problem.ts'
import { cancelBody, enqueueBody, listQuery, noBody } from './jobs-input.ts'

/** `/api/v1/jobs` */
export function jobRoutes(millrace: Millrace): Hono {
  const routes = new Hono()

  routes.post('/', async c => {
    const key = readIdempotencyKey(c.req.header('idempotency-key'))
    const body = check(enqueueBody, await readJsonBody(c), 'body')
    const { type, payload, ...rest } = body
    const options: EnqueueOptions = { ...rest, ...(key === undefined ? {} : { idempotencyKey: key }) }
    const { id, duplicate } = await millrace.enqueueByType(type, payload, options).catch(intoPayload)
    c.header('location', `/api/v1/jobs/${id}`)
    return c.json({ id, duplicate }, duplicate ? 200 : 201)
  })

  routes.get('/', async c => {
    const { limit, cursor, ...filter } = check(listQuery, c.req.queries(), 'query')
    const page = await millrace.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) })
    return c.json({ jobs: page.jobs.map(jobSummary), cursor: page.cursor })
  })

  routes.get('/:id', async c => {
    const id = c.req.param('id')
    const job = await millrace.get(id)
    if (!job) throw notFound(id)
    const [attempts, logs] = await Promise.all([millrace.attempts(id), millrace.logs(id)])
    return c.json(jobDocument(job, attempts, logs))
  })

  routes.post('/:id/cancel', async c => {
    const id = c.req.param('id')
    const { reason } = check(cancelBody, (await readJsonBody(c)) ?? {}, 'body')
    const outcome = await millrace.cancel(id, reason === undefined ? {} : { reason })
    if (outcome === 'not-found') throw notFound(id)
    return c.json({ id, outcome }, outcome === 'requested' ? 202 : 200)
  })

  routes.post('/:id/retry', async c => {
    const id = c.req.param('id')
    check(noBody, (await readJsonBody(c)) ?? {}, 'body')
    const outcome = await millrace.retry(id)
    if (outcome === 'not-found') throw notFound(id)
    if (outcome === 'not-finished')
      throw new Problem('conflict', `Job ${id} is not finished; only a finished job can be retried.`)
    return c.json({ id, outcome })
  })

  return routes
}

function notFound(id: string): Problem {
  return new Problem('not-found', `There is no job ${id}: never enqueued here, or pruned by its retention.`)
}

function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header)) return header
  throw new Problem('invalid-argument', 'Idempotency-Key must be 1 to 255 printable ASCII characters.', {
    faults: [{ path: ['Idempotency-Key'], message: 'must be 1 to 255 printable ASCII characters' }],
  })
}

/** The queue reports faults from the payload's root; the caller's document has the payload inside. */
function intoPayload(error: unknown): never {
  if (!isQueueError(error, 'invalid-payload')) throw error
  const faults = error.faults.map(fault => ({ ...fault, path: ['payload', ...fault.path] }))
  throw new QueueError(error.code, error.message, { faults, cause: error })
}
