import type { JobError } from '../job/error.ts'
import type { Reason, WhyDetails } from './why.ts'

/** A reason in one plain sentence. Pure. */
export function sentenceOf(reason: Reason): string {
  switch (reason.cause) {
    case 'finished':
      return finished(reason.details)
    case 'running':
      return running(reason.details)
    case 'not-due':
      return notDue(reason.details)
    case 'paused-queue':
      return `Its queue ${reason.details.queue} is paused.`
    case 'no-worker':
      return 'It is due, but no worker is alive on this store.'
    case 'unknown-type':
      return unknownType(reason.details)
    case 'blocked':
      return blocked(reason.details)
    case 'waiting-signal': {
      const { step, signal, until } = reason.details
      const name = step === signal ? '' : ` in its step ${step}`
      return `It waits for the signal ${signal}${name}${until === null ? ', without limit' : `, until ${instant(until)}`}.`
    }
    case 'waiting-job':
      return waitingJob(reason.details)
    case 'sleeping': {
      const { step, until } = reason.details
      return `It sleeps in its step ${step}${until === null ? '' : ` until ${instant(until)}`}.`
    }
    case 'queue-position': {
      const { queue, ready, running, workers } = reason.details
      const before = ready === 1 ? 'it is the only one ready' : `${counted(ready, 'job')} are ready`
      const claiming = `${counted(workers, 'worker')} ${workers === 1 ? 'claims' : 'claim'} there`
      return `It is due and waits for its turn: ${before} in queue ${queue}, ${running} ${running === 1 ? 'runs' : 'run'}, and ${claiming}.`
    }
  }
}

function finished(details: WhyDetails['finished']): string {
  const { state, at, attempt, maxAttempts, reason, error } = details
  const when = at === null ? '' : ` at ${instant(at)}`
  if (state === 'completed') return `It completed${when}.`
  if (state === 'cancelled') return `It was cancelled${when}: ${short(reason ?? 'no reason given')}.`
  return `It died${when} in attempt ${attempt} of ${maxAttempts}: ${said(error)}.`
}

function running(details: WhyDetails['running']): string {
  const { worker, label, since, until, leaseHolds, rescuers, cancelReason } = details
  const end = until === null ? '' : ` at ${instant(until)}`
  if (!leaseHolds) {
    const rescue =
      rescuers > 0 ? 'another gives it back at its next sweep' : 'no other is alive to give it back'
    return `Its worker ${worker ?? '(unknown)'} went silent: the lease ended${end}, and ${rescue}.`
  }
  const asked = cancelReason === null ? '' : `; it was asked to stop (${short(cancelReason)})`
  const began = since === null ? '' : ` since ${instant(since)}`
  return `It is running: ${label ?? worker} has held it${began}, with a lease${until === null ? '' : ` until ${instant(until)}`}${asked}.`
}

function notDue(details: WhyDetails['not-due']): string {
  const { runAt, after, attempt, maxAttempts, error } = details
  if (after === 'failure')
    return `Attempt ${attempt} of ${maxAttempts} failed (${said(error)}), and the next one is due at ${instant(runAt)}.`
  if (after === 'snooze') return `Its handler put it off until ${instant(runAt)}.`
  return `It is not due before ${instant(runAt)}.`
}

function unknownType({ type, queue, workers, claimedIn }: WhyDetails['unknown-type']): string {
  const alive =
    workers === 1
      ? '1 worker is alive, but it does not claim'
      : `${workers} workers are alive, but none claims`
  const elsewhere = claimedIn.length === 0 ? '' : `, only from ${listed(claimedIn)}`
  return `${alive} ${type} from queue ${queue}${elsewhere}.`
}

function blocked({ by, more }: WhyDetails['blocked']): string {
  if (by.length === 0) return 'It waits for other jobs, which have just ended.'
  const names = by.map(({ name, state }) => `${name} (${state})`)
  const rest = more > 0 ? [`${more} more`] : []
  return `It waits for ${counted(by.length + more, 'job')}: ${listed([...names, ...rest])}.`
}

function waitingJob({ step, child, type, state, until }: WhyDetails['waiting-job']): string {
  const job =
    child === null
      ? 'another job'
      : type === null
        ? `job ${child}, which is gone`
        : `job ${type} ${child}, which is ${state}`
  return `It waits in its step ${step} for ${job}${until === null ? '' : `, until ${instant(until)}`}.`
}

function said(error: JobError | null): string {
  return error === null ? 'no error recorded' : short(`${error.name}: ${error.message}`)
}

/** The first words, on one line, without the full stop that the sentence has already. */
function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim().replace(/\.$/, '')
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}

function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
