import type { Job, Millrace } from '../../src/index.ts'
import type { AttemptRecord } from '../../src/engine/contract.ts'
import type { WorkResult } from './jobs.ts'
import { type Fact, readLedgers } from './ledger.ts'
import type { StormRecord } from './storm.ts'
import type { Effect } from './target.ts'
import { refusals } from './zombie.ts'

/** What the store holds when the storm is over, and what the processes saw of it. */
export interface Evidence {
  jobs: Map<string, { job: Job; attempts: AttemptRecord[] }>
  /** Ids that a list showed twice. */
  twice: string[]
  facts: Map<string, Fact[]>
  effects: Effect[]
}

export async function gather(
  millrace: Millrace,
  record: Pick<StormRecord, 'ledgers'>,
  effects: Effect[],
): Promise<Evidence> {
  const jobs: Evidence['jobs'] = new Map()
  const twice: string[] = []
  let cursor: string | null = null
  do {
    const page = await millrace.list({}, cursor === null ? { limit: 1_000 } : { cursor, limit: 1_000 })
    const attempts = await Promise.all(page.jobs.map(job => millrace.attempts(job.id)))
    page.jobs.forEach((job, index) => {
      if (jobs.has(job.id)) twice.push(job.id)
      jobs.set(job.id, { job, attempts: attempts[index] ?? [] })
    })
    cursor = page.cursor
  } while (cursor !== null)
  return { jobs, twice, facts: readLedgers(record.ledgers), effects }
}

/** Acknowledged enqueues that the store does not hold, or holds twice. */
export function lostOrDoubled({ jobs, twice, facts }: Evidence): string[] {
  const faults = twice.map(id => `${id} is listed twice`)
  const byN = new Map<number, string>()
  for (const [id, { job }] of jobs) {
    const { n } = job.payload as { n: number }
    const other = byN.get(n)
    // A number is enqueued again only under its key, after a producer died before the answer.
    if (other) faults.push(`number ${n} was enqueued as ${other} and as ${id}`)
    byN.set(n, id)
  }
  for (const [ledger, list] of facts)
    for (const fact of list)
      if (fact.k === 'ack')
        fact.ids.forEach((id, index) => {
          if (!jobs.has(id)) faults.push(`${ledger}: ${id} was acknowledged and is lost`)
          else if (byN.get(fact.ns[index] as number) !== id)
            faults.push(`${ledger}: ${id} was acknowledged for another number`)
        })
  return faults
}

/** Jobs that did not end completed, exactly once, by their newest lease. */
export function badEndings({ jobs, facts }: Evidence): string[] {
  const faults: string[] = []
  const executions = new Map<string, string>()
  const pids = new Map<string, number>()
  for (const [ledger, list] of facts)
    for (const fact of list) {
      if (fact.k === 'hello' && fact.worker) pids.set(fact.worker, fact.pid)
      if (fact.k !== 'start') continue
      const lease = `${fact.id} ${fact.epoch}`
      if (executions.has(lease)) faults.push(`${lease} ran in ${executions.get(lease)} and in ${ledger}`)
      executions.set(lease, ledger)
    }
  for (const [id, { job, attempts }] of jobs) {
    const completed = attempts.filter(attempt => attempt.outcome === 'completed')
    const highest = Math.max(...attempts.map(attempt => attempt.epoch))
    const result = job.result as WorkResult | null
    if (job.state !== 'completed') faults.push(`${id} is ${job.state}`)
    else if (completed.length !== 1) faults.push(`${id} completed ${completed.length} times`)
    else if (completed[0]?.epoch !== highest || job.epoch !== highest)
      faults.push(
        `${id} completed at epoch ${completed[0]?.epoch}, its newest is ${highest}, the job says ${job.epoch}`,
      )
    else if (result?.epoch !== highest)
      faults.push(`${id} holds the result of epoch ${result?.epoch}, not ${highest}`)
    else if (result.pid !== pids.get(completed[0]?.worker ?? ''))
      faults.push(`${id} holds another worker's result`)
    if (attempts.some(attempt => attempt.outcome === 'running'))
      faults.push(`${id} has an attempt without an end`)
    if (new Set(attempts.map(attempt => attempt.epoch)).size !== attempts.length)
      faults.push(`${id} has two attempts of one epoch`)
    if (!executions.has(`${id} ${job.epoch}`))
      faults.push(`${id} is completed, yet no handler ran at epoch ${job.epoch}`)
  }
  return faults
}

/** Writes by a lease that had ended, and zombies that were not told. */
export function staleWrites(
  { jobs, facts, effects }: Evidence,
  record: Pick<StormRecord, 'ledgers' | 'zombies'>,
): string[] {
  const faults: string[] = []
  for (const [ledger, list] of facts)
    for (const fact of list) {
      if (fact.k !== 'settle' || fact.answer !== 'settled') continue
      const attempt = jobs.get(fact.id)?.attempts.find(each => each.epoch === fact.epoch)
      // A job that is given back untouched has no attempt to show for it.
      if (!attempt && fact.outcome === 'release') continue
      if (!attempt || attempt.outcome === 'worker-lost')
        faults.push(
          `${ledger}: ${fact.id} ${fact.epoch} was told 'settled', the store says ${attempt?.outcome}`,
        )
    }
  for (const zombie of record.zombies)
    for (const [lease, answers] of refusals(record.ledgers, zombie)) {
      if (answers.length === 0) faults.push(`${zombie.ledger}: nobody told of the loss of ${lease}`)
      const wrong = answers.filter(
        answer => answer === 'settle: settled' || answer === 'settle: already-settled',
      )
      if (wrong.length > 0)
        faults.push(`${zombie.ledger}: ${lease} was taken, and its late end was answered ${wrong}`)
    }
  const written = new Map<string, number[]>()
  for (const { jobId, epoch } of effects) written.set(jobId, [...(written.get(jobId) ?? []), epoch])
  for (const [id, { job }] of jobs) {
    const expected = (job.payload as { viaTx: boolean }).viaTx ? [job.epoch] : []
    const found = written.get(id) ?? []
    if (String(found) !== String(expected))
      faults.push(
        `${id} should have written at epochs [${expected}] with its completion, and wrote at [${found}]`,
      )
  }
  return faults
}

/**
 * Leases that ended their attempt, although all that their worker heard of it was a refusal. When another lease has come
 * after it, `lease-lost` is as true; and a release leaves no trace to know it by.
 */
export function wronglyRefused({ jobs, facts }: Evidence): string[] {
  const told = new Map<string, string[]>()
  for (const list of facts.values())
    for (const fact of list) {
      if (fact.k !== 'settle') continue
      const lease = `${fact.id} ${fact.epoch}`
      told.set(lease, [...(told.get(lease) ?? []), fact.answer])
    }
  const faults: string[] = []
  for (const [id, { job, attempts }] of jobs)
    for (const { outcome, epoch } of attempts) {
      const answers = told.get(`${id} ${epoch}`)
      const refused = answers?.every(answer => answer === 'lease-lost' || answer === 'gone') ?? false
      if (refused && epoch === job.epoch && outcome !== 'worker-lost')
        faults.push(`${id} ${epoch} is ${outcome}, and was told ${answers}`)
    }
  return faults
}
