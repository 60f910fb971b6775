import type { FlowRecord, Job, Millrace, ScheduleRecord } from 'millrace'
import type { Principal } from '../access/principal.ts'
import { Problem } from '../problem.ts'

/** The job, when it is there for whoever asks. Somebody else's is answered like one that never was. */
export async function ownJob(millrace: Millrace, principal: Principal, id: string): Promise<Job> {
  const job = await millrace.get(id)
  if (job && owns(principal, job.tenant)) return job
  throw new Problem('not-found', `There is no job ${id}: never enqueued here, or pruned by its retention.`)
}

export async function ownFlow(millrace: Millrace, principal: Principal, id: string): Promise<FlowRecord> {
  const flow = await millrace.flows.get(id)
  if (flow && owns(principal, flow.tenant)) return flow
  throw new Problem('not-found', `There is no flow ${id}: never enqueued here, or pruned with its jobs.`)
}

export async function ownSchedule(
  millrace: Millrace,
  principal: Principal,
  name: string,
): Promise<ScheduleRecord> {
  const schedule = await millrace.schedules.get(name)
  if (schedule && owns(principal, schedule.job.tenant)) return schedule
  throw noSchedule(name)
}

export function noSchedule(name: string): Problem {
  return new Problem('not-found', `There is no schedule ${name}.`)
}

export function owns(principal: Principal, tenant: string): boolean {
  return principal.tenant === null || principal.tenant === tenant
}

/** For the store to look itself whose it is: between a look from here and a change, it can become another's. */
export function scopeOf(principal: Principal): { within?: string } {
  return principal.tenant === null ? {} : { within: principal.tenant }
}

/**
 * The tenant to look in, or to enqueue for. Whoever belongs to one need not name it, and naming another's is refused.
 */
export function tenantFor(principal: Principal, named: string | undefined): string | undefined {
  if (principal.tenant === null || named === principal.tenant) return named
  if (named === undefined) return principal.tenant
  throw new Problem('forbidden', 'The tenant is not that of whoever asks; leave it out.', {
    faults: [{ path: ['tenant'], message: 'is not that of whoever asks' }],
  })
}
