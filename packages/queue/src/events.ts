import type { TickRecord } from './engine/contract.ts'
import type { JobError } from './job/error.ts'

interface JobRef {
  id: string
  type: string
  queue: string
  tenant: string
}

interface AttemptRef extends JobRef {
  attempt: number
  worker: string
}

/** What happens in this process, as it happens. For what happens anywhere, read the store. */
export interface LifecycleEvents {
  enqueued: JobRef
  started: AttemptRef & { maxAttempts: number; waitedMs: number }
  progress: AttemptRef & { percent: number; message: string | null }
  completed: AttemptRef & { ranMs: number }
  retrying: AttemptRef & { ranMs: number; inMs: number; error: JobError }
  dead: AttemptRef & { ranMs: number; error: JobError }
  snoozed: AttemptRef & { inMs: number; reason: string }
  /** Its handler came to a step that sleeps, or waits for a signal or another job. */
  waiting: AttemptRef & { step: string; on: 'sleep' | 'signal' | 'job' }
  released: AttemptRef
  cancelled: JobRef & { reason: string }
  'lease-lost': AttemptRef & { reason: string }
  /** A handler went on after its signal had fired. It can change nothing any more, but it still uses the process. */
  abandoned: AttemptRef & { reason: string; afterMs: number }
  rescued: JobRef & { worker: string; deaths: number; now: 'queued' | 'dead' | 'cancelled' }
  'schedule-fired': {
    schedule: string
    scheduledAt: number
    jobId: string | null
    /** Of the schedule's job. */
    type: string
    queue: string
    tenant: string
    outcome: TickRecord['outcome']
  }
  /** This process has put, paused, resumed or removed it. */
  'schedule-changed': { schedule: string }
  'schedule-disabled': { schedule: string; reason: string }
  'worker-started': { worker: string }
  'worker-stopped': { worker: string }
  /** A loop's tick failed. It is tried again by itself. */
  trouble: { where: string; error: unknown }
}

export type EventName = keyof LifecycleEvents
export type Listener<Name extends EventName> = (event: LifecycleEvents[Name]) => void

/** Typed events. A listener that throws hurts nobody: its error becomes a `trouble` event. */
export class Events {
  readonly #listeners = new Map<EventName, Set<Listener<never>>>()

  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener as Listener<never>)
    return () => listeners.delete(listener as Listener<never>)
  }

  /** Whether an event is worth building. */
  heard(name: EventName): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }

  emit<Name extends EventName>(name: Name, event: LifecycleEvents[Name]): void {
    const listeners = this.#listeners.get(name)
    if (!listeners) return
    const failed = (error: unknown): void => {
      if (name !== 'trouble') this.emit('trouble', { where: `a listener for ${name}`, error })
    }
    // A copy: a listener that subscribes another would go on for ever.
    for (const listener of [...listeners]) {
      if (!listeners.has(listener)) continue
      try {
        const answer: unknown = (listener as (event: LifecycleEvents[Name]) => unknown)(event)
        if (answer instanceof Promise) answer.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}
