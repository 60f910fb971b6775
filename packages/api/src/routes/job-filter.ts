import type { JobFilter, JobState } from 'millrace'
import type { Principal } from '../access/principal.ts'
import { defined } from '../defined.ts'
import { Problem } from '../problem.ts'
import { tenantFor } from './ownership.ts'

/** As a query says it, each in the singular. */
export interface FilterQuery {
  state?: JobState[] | undefined
  type?: string[] | undefined
  queue?: string[] | undefined
  tenant?: string | undefined
  fingerprint?: string | undefined
  where?: (readonly [string, string])[] | undefined
  from?: number | undefined
  until?: number | undefined
}

/** The filter, within what whoever asks may see. */
export function jobFilter(principal: Principal, query: FilterQuery): JobFilter {
  const { state, type, queue, tenant, fingerprint, where, from, until } = query
  return defined({
    states: state,
    types: type,
    queues: queue,
    tenant: tenantFor(principal, tenant),
    fingerprint,
    attributes: where && attributesOf(where),
    from,
    until,
  })
}

function attributesOf(where: readonly (readonly [string, string])[]): Record<string, string> {
  const attributes = new Map<string, string>()
  for (const [name, value] of where) {
    if ((attributes.get(name) ?? value) !== value) {
      const message = `names ${name} twice; a job has one value of each`
      throw new Problem('invalid-argument', `The query is refused: where: ${message}.`, {
        faults: [{ path: ['where'], message }],
      })
    }
    attributes.set(name, value)
  }
  return Object.fromEntries(attributes)
}
