import { atMost, type Millrace } from 'millrace'
import type { Principal } from '../access/principal.ts'
import type { Operation } from '../contract/operation.ts'
import type { BorderContext, Services } from './context.ts'
import type { Change } from './route.ts'

const momentMs = 100

/** How long an answer waits for its entry, should the store hang. */
const patienceMs = 2_000

/**
 * Writes down who changed what, right after it was done: what can't be written down is told to `trouble`, and the answer
 * stands, for the change does. Enqueues are so many that nobody waits for theirs, and those of a moment share one write.
 */
export class AuditTrail {
  readonly #millrace: Millrace
  readonly #access: Services['access']

  constructor({ millrace, access }: Pick<Services, 'millrace' | 'access'>) {
    this.#millrace = millrace
    this.#access = access
  }

  async write(operation: Operation, c: BorderContext, principal: Principal, change: Change): Promise<void> {
    const { target, before, after } = change
    const { audit, clock, events } = this.#millrace
    const follows = operation.audit === 'follows'
    const entry = {
      principal: principal.tenant ? `${principal.name}@${principal.tenant}` : principal.name,
      role: principal.role,
      action: operation.id,
      target,
      before,
      after,
      request: { id: c.get('requestId'), address: this.#access.addressOf(c), path: c.req.path },
    }
    const recorded = audit
      .record(entry, follows ? { gatherMs: momentMs } : {})
      .catch(error => events.emit('trouble', { where: `the audit entry of ${operation.id}`, error }))
    if (!follows) await atMost(clock, patienceMs, recorded)
  }
}
