import { type Enqueued, type EnqueueOptions, isQueueError, type Millrace, QueueError } from 'millrace'
import { type Route, route } from '../border/route.ts'
import { enqueueJob, enqueueJobs } from '../contract/enqueue.ts'
import { defined } from '../defined.ts'
import { Problem, problemKinds } from '../problem.ts'
import type { Principal } from '../access/principal.ts'
import { tenantFor } from './ownership.ts'

/** What a request asks to be enqueued. */
interface Wish extends Omit<EnqueueOptions, 'tx' | 'runAt'> {
  type: string
  payload?: unknown
  runAt?: number | undefined
}

export const enqueueRoutes: Route[] = [
  route(enqueueJob, async ({ millrace, principal, body, c, changed }) => {
    const idempotencyKey = readKey(c.req.header('idempotency-key'))
    const answer = await enqueue(millrace, principal, { ...body, ...defined({ idempotencyKey }) } as Wish)
    const { id, duplicate } = answer
    changed({ target: `job ${id}`, after: { type: body.type, duplicate } })
    return {
      status: duplicate ? 200 : 201,
      body: { id, duplicate },
      headers: { location: `/api/v1/jobs/${id}` },
    }
  }),

  route(enqueueJobs, async ({ millrace, principal, body, changed }) => {
    // Calls made at the same time share one commit.
    const results = await Promise.all(
      body.jobs.map(wish => enqueue(millrace, principal, wish as Wish).then(shown, refusal)),
    )
    const enqueued = results.filter(each => 'id' in each).length
    changed({
      target: `${enqueued} jobs`,
      after: { ids: results.flatMap(each => ('id' in each ? [each.id] : [])) },
    })
    return { status: 200, body: { enqueued, refused: results.length - enqueued, results } }
  }),
]

function shown({ id, duplicate }: Enqueued): { id: string; duplicate: boolean } {
  return { id, duplicate }
}

async function enqueue(millrace: Millrace, principal: Principal, wish: Wish): Promise<Enqueued> {
  const { type, payload, tenant, ...rest } = wish
  const options = defined({ ...rest, tenant: tenantFor(principal, tenant) }) as EnqueueOptions
  return millrace.enqueueByType(type, payload, options).catch(intoPayload)
}

/** One job that is refused keeps no other back; a store that does not answer refuses them all. */
function refusal(error: unknown): {
  code: string
  detail: string
  faults: { path: (string | number)[]; message: string }[]
} {
  if (!(error instanceof Problem) && !isQueueError(error)) throw error
  if (problemKinds[error.code].status >= 500) throw error
  return { code: error.code, detail: error.message, faults: error.faults }
}

export function readKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header)) return header
  throw new Problem('invalid-argument', 'Idempotency-Key must be 1 to 255 printable ASCII characters.', {
    faults: [{ path: ['Idempotency-Key'], message: 'must be 1 to 255 printable ASCII characters' }],
  })
}

/** The queue reports faults from the payload's root; the caller's document has the payload inside. */
export function intoPayload(error: unknown): never {
  if (!isQueueError(error, 'invalid-payload')) throw error
  const faults = error.faults.map(fault => ({ ...fault, path: ['payload', ...fault.path] }))
  throw new QueueError(error.code, error.message, { faults, cause: error })
}
