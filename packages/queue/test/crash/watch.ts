import type { Engine, Lease, SettleAnswer, Settlement } from '../../src/engine/contract.ts'
import type { Ledger } from './ledger.ts'

/** A call on whose brink a process kills itself: just before it, or as soon as it has answered. */
export interface DeathPoint {
  call:
    | 'claim'
    | 'settle'
    | 'completeIn'
    | 'enqueue'
    | 'extendFlow'
    | 'fireTick'
    | 'heartbeat'
    | 'report'
    | 'rescue'
  moment: 'before' | 'after'
  /** The first such call is 1. Claims and rescues that found nothing do not count. */
  nth: number
}

/** The engine as it is, with every settle's answer and every sweep in the ledger, and with an appointed end. */
export function watchedEngine(engine: Engine, ledger: Ledger, death: DeathPoint | null): Engine {
  let calls = 0
  const doom = (point: string, moment: DeathPoint['moment'], answer: unknown): void => {
    if (death?.call !== point || death.moment !== moment) return
    if (moment === 'after' && isEmpty(answer)) return
    if (++calls === death.nth) process.kill(process.pid, 'SIGKILL')
  }
  return new Proxy(engine, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key, target)
      if (typeof method !== 'function' || typeof key !== 'string') return method
      return (...args: unknown[]) => {
        doom(key, 'before', null)
        const from = Date.now()
        const answer: unknown = Reflect.apply(method, target, args)
        if (!(answer instanceof Promise)) return answer
        // Watched on a branch of its own: what the runtime awaits is the engine's very promise, with its own timing.
        answer.then(
          value => {
            if (key === 'completeIn') note(ledger, args[1] as Lease, 'complete', value as SettleAnswer)
            if (key === 'settle')
              (args[1] as Settlement[]).forEach(({ lease, outcome }, index) =>
                note(ledger, lease, outcome.kind, (value as SettleAnswer[])[index] as SettleAnswer),
              )
            if (key === 'rescue') ledger.write({ k: 'sweep', from, at: Date.now() })
            doom(key, 'after', value)
          },
          () => {},
        )
        return answer
      }
    },
  })
}

function note(ledger: Ledger, lease: Lease, outcome: string, answer: SettleAnswer): void {
  ledger.write({ k: 'settle', id: lease.id, epoch: lease.epoch, outcome, answer, at: Date.now() })
}

function isEmpty(answer: unknown): boolean {
  if (Array.isArray(answer)) return answer.length === 0
  const jobs = (answer as { jobs?: unknown[] } | null)?.jobs
  return jobs !== undefined && jobs.length === 0
}
