import { nextTurn, type Timer } from '../engine/clock.ts'
import type { AuditFilter, AuditRecord, NewAuditEntry } from '../engine/audit.ts'
import { QueueError } from '../engine/errors.ts'
import { checkId } from '../enqueue.ts'
import { storable } from '../job/attempt-error.ts'
import { readJson } from '../job-view.ts'
import type { Millrace } from '../queue.ts'
import { auditJson } from './audit-json.ts'

const longestName = 1_000
/** As many entries wait for nobody. */
const gatheredMost = 1_000

export interface NewAudit {
  /** A UUIDv7: the same id again is the same entry. Made when it is not given. */
  id?: string
  /** Who did it, and as what. */
  principal: string
  role: string
  /** What was done, and to what: `job.cancel`, `job/0198…`. */
  action: string
  target: string
  /** JSON values, each cut to 16 KiB. */
  before?: unknown
  after?: unknown
  /** What is known of the request that it came with. */
  request?: unknown
}

export interface AuditEntry extends Omit<AuditRecord, 'beforeJson' | 'afterJson' | 'requestJson'> {
  before: unknown
  after: unknown
  request: unknown
}

interface Waiting {
  entry: NewAuditEntry
  resolve: () => void
  reject: (error: unknown) => void
}

/** Who did what to which job, queue or schedule. Kept for 400 days, and at most a million entries. */
export class Audit {
  readonly #millrace: Millrace
  #waiting: Waiting[] = []
  /** The write to come: of this turn, or after a while. */
  #turn = false
  #gathering: Timer | null = null
  readonly #writing = new Set<Promise<void>>()

  constructor(millrace: Millrace) {
    this.#millrace = millrace
  }

  /**
   * Keeps one entry, at the time of its write by the store's clock. Resolves when it is durable; those of one turn share
   * one write. With `gatherMs`, it waits so long for others to share theirs. Safe to repeat with the same id. Throws
   * `invalid-argument`, and what the store answers.
   */
  async record(audit: NewAudit, options: { gatherMs?: number } = {}): Promise<{ id: string }> {
    const entry = this.#entry(audit)
    await this.#millrace.open()
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject })
      const { gatherMs = 0 } = options
      if (gatherMs > 0 && this.#waiting.length < gatheredMost) this.#gather(gatherMs)
      else this.#atOnce()
    })
    return { id: entry.id }
  }

  #atOnce(): void {
    if (this.#turn) return
    this.#turn = true
    nextTurn(() => void this.flush())
  }

  #gather(ms: number): void {
    if (!this.#turn) this.#gathering ??= this.#millrace.clock.after(ms, () => void this.flush())
  }

  #entry({ id, principal, role, action, target, before, after, request }: NewAudit): NewAuditEntry {
    return {
      id: id === undefined ? this.#millrace.newId() : checkId(id),
      principal: name('principal', principal),
      role: name('role', role),
      action: name('action', action),
      target: name('target', target),
      beforeJson: auditJson('before', before),
      afterJson: auditJson('after', after),
      requestJson: auditJson('request', request),
    }
  }

  /** Writes what waits. Resolves when nothing is being written any more; never throws. @internal */
  async flush(): Promise<void> {
    this.#turn = false
    this.#gathering?.cancel()
    this.#gathering = null
    if (this.#waiting.length > 0) {
      const writing = this.#write(this.#waiting.splice(0)).finally(() => this.#writing.delete(writing))
      this.#writing.add(writing)
    }
    await Promise.all(this.#writing)
  }

  async #write(group: Waiting[]): Promise<void> {
    try {
      await this.#millrace.engine.appendAudit(group.map(({ entry }) => entry))
      for (const { resolve } of group) resolve()
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /** One page, newest first, with all that this process has recorded. Hand `cursor` back for the next. */
  async list(
    filter: AuditFilter = {},
    page: { cursor?: string; limit?: number } = {},
  ): Promise<{ entries: AuditEntry[]; cursor: string | null }> {
    const { limit = 50, cursor } = page
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
      throw new QueueError('invalid-argument', `limit must be a whole number from 1 to 1000, not ${limit}`)
    await this.#millrace.open()
    await this.flush()
    const found = await this.#millrace.engine.audit(filter, cursor ? { cursor, limit } : { limit })
    return { entries: found.entries.map(view), cursor: found.cursor }
  }
}

function name(what: string, value: string): string {
  if (typeof value === 'string' && value !== '') return storable(value, longestName)
  throw new QueueError('invalid-argument', `${what} must be a text that is not empty`)
}

function view({ beforeJson, afterJson, requestJson, ...rest }: AuditRecord): AuditEntry {
  return {
    ...rest,
    before: readJson(beforeJson),
    after: readJson(afterJson),
    request: readJson(requestJson),
  }
}
