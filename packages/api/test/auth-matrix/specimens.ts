/** What the operations of the matrix are tried on: made afresh for each cell that changes something. */

import type { MillraceServer, Operation } from '@millrace/api'
import { createWorker, flow } from 'millrace'
import { contract, type JsonSchema, pointedAt } from '../contract-document.ts'
import { echo, fail, type sample } from '../sample-server.ts'
import { ownTenant, secrets } from './callers.ts'

/** Bodies that can't be made from their schemas alone: what they name must exist. By operation id. */
const bodies: Readonly<Record<string, unknown>> = {
  login: { token: secrets.admin },
  enqueueJob: { type: 'ECHO', payload: { text: 'x' }, delay: '1h' },
  enqueueJobs: { jobs: [{ type: 'ECHO', payload: { text: 'x' }, delay: '1h' }] },
  editJob: { priority: 2 },
  putSchedule: { type: 'ECHO', payload: { text: 'x' }, cron: '0 7 * * *', timeZone: 'UTC' },
  previewRule: { cron: '0 7 * * *', timeZone: 'UTC' },
  editQueue: { maxQueued: 1_000_000 },
  bulkJobs: { action: { do: 'cancel' }, filter: { type: ['NOBODYS'] }, dryRun: false },
}

const queries: Readonly<Record<string, string>> = {
  drain: 'maxJobs=1',
  cronDrain: 'maxJobs=1',
  cronDrainByGet: 'maxJobs=1',
  searchJobs: 'text=x',
}

export interface Specimen {
  path: string
  body: unknown
}

/** Makes what the operation is asked about, and answers where it is. */
export async function makeSpecimen(
  { millrace }: MillraceServer,
  { id, path, method, body }: Operation,
): Promise<Specimen> {
  const made = new Map<string, string>()
  for (const [placeholder] of path.matchAll(/\{\w+\}/g))
    made.set(placeholder, await make(millrace, path, placeholder))
  const filled = path.replaceAll(/\{\w+\}/g, placeholder => encodeURIComponent(made.get(placeholder) ?? ''))
  const query = queries[id]
  return {
    path: query ? `${filled}?${query}` : filled,
    body: method === 'get' ? undefined : (bodies[id] ?? (body && smallest(bodySchema(path, method)))),
  }
}

async function make(
  millrace: MillraceServer['millrace'],
  path: string,
  placeholder: string,
): Promise<string> {
  const isFinished = path.endsWith('/retry')
  const resource = path.split('/')[3]
  if (resource === 'jobs') {
    const { id } = await millrace.enqueue(echo, { text: 'x' }, { tenant: ownTenant, delay: '1h' })
    if (isFinished) await millrace.cancel(id)
    return id
  }
  if (resource === 'flows') {
    const made = flow('site', { tenant: ownTenant })
    made.add('only', echo, { text: 'x' }, { delay: '1h' })
    const { id } = await millrace.flows.enqueue(made)
    if (isFinished) await millrace.flows.cancel(id)
    return id
  }
  if (resource === 'queues') return 'fast'
  if (resource === 'types') return 'ECHO'
  if (resource === 'schedules') {
    await millrace.schedules.put('mornings', {
      job: echo,
      payload: { text: 'x' },
      cron: '0 7 * * *',
      timeZone: 'UTC',
      tenant: ownTenant,
    })
    return 'mornings'
  }
  if (resource === 'dead-letters') {
    const { groups } = await millrace.deadLetters.groups({})
    return groups[0]?.fingerprint ?? ''
  }
  throw new Error(
    `Nothing makes ${placeholder} of ${path}: add it to make() in packages/api/test/auth-matrix/specimens.ts`,
  )
}

/** One job of the owner's that has died, for what looks at dead jobs. */
export async function makeDeadJob(
  { millrace }: MillraceServer,
  { handlers }: ReturnType<typeof sample>,
): Promise<void> {
  await millrace.enqueue(fail, { message: 'no luck' }, { tenant: ownTenant })
  await createWorker(millrace, handlers).drain({ maxJobs: 1, budgetMs: 10_000 })
}

function bodySchema(path: string, method: string): JsonSchema {
  return contract.paths[path]?.[method]?.requestBody?.content['application/json']?.schema ?? {}
}

/** The smallest value of a schema, for bodies that need nothing in particular. */
function smallest(schema: JsonSchema): unknown {
  const {
    $ref,
    type,
    enum: names,
    const: only,
    anyOf,
    properties = {},
    required = [],
    items,
    minItems = 0,
  } = schema as {
    $ref?: string
    type?: string
    enum?: unknown[]
    const?: unknown
    anyOf?: JsonSchema[]
    properties?: Record<string, JsonSchema>
    required?: string[]
    items?: JsonSchema
    minItems?: number
  }
  if ($ref) return smallest(pointedAt($ref) as JsonSchema)
  if (only !== undefined) return only
  if (names) return names[0]
  if (anyOf?.[0]) return smallest(anyOf[0])
  if (type === 'object')
    return Object.fromEntries(required.map(name => [name, smallest(properties[name] ?? {})]))
  if (type === 'array') return Array.from({ length: minItems }, () => smallest(items ?? {}))
  if (type === 'integer' || type === 'number') return (schema.minimum as number | undefined) ?? 1
  return type === 'boolean' ? true : 'x'
}

/** All that a refused request could have changed, as text. */
export async function snapshot({ millrace }: MillraceServer): Promise<string> {
  const { jobs } = await millrace.list({}, { limit: 5 })
  const { flows } = await millrace.flows.list({}, { limit: 5 })
  const [stats, queues, schedules] = await Promise.all([
    millrace.stats(),
    millrace.queues(),
    millrace.schedules.list(),
  ])
  const logs = await Promise.all(jobs.map(job => millrace.signals(job.id)))
  return JSON.stringify({ jobs, flows, stats, queues, schedules, logs })
}
