import { type Clock, systemRandom } from '../../engine/clock.ts'
import type {
  ClaimAnswer,
  ClaimRequest,
  Heartbeat,
  HeartbeatAnswer,
  Hint,
  Lane,
} from '../../engine/contract.ts'
import { Batches } from './batches.ts'
import { claim, claimOne, leaseOf } from './claim.ts'
import { Heads, type Rest } from './heads.ts'
import type { Kinds } from './kinds.ts'
import { leaseToken } from './lease-token.ts'
import { isConnectionLoss } from './postgres-errors.ts'
import { array, one, type Queries } from './queries.ts'
import { settle } from './settle.ts'
import type { Store } from './store.ts'
import { wake } from './wakeups.ts'
import { heartbeat } from './workers.ts'

const lidBits = 22
/** A claim whose connection broke is over by then: the server ends its statement before. */
const uncertainMs = 15_000
/** What an idle claim saw on the side is believed for this long: a little more than the wait for the next. */
const restMs = 1_500

/** What this process remembers in order to claim: its workers' numbers, the heads, the batches, and what is uncertain. */
export class Claimer {
  readonly batches = new Batches()
  readonly channel: string
  readonly #store: Store
  readonly #clock: Clock
  readonly #kinds: Kinds
  readonly #from: string
  readonly #heads = new Heads()
  readonly #numbers = new Map<string, number>()
  /** The lanes that the database knows of each worker, as JSON. */
  readonly #told = new Map<string, string>()
  /** Claims whose answer was lost, by worker: what they took nobody knows of. */
  readonly #uncertain = new Map<number, { worker: string; sinceMs: number }>()
  #lid = freshLid()
  #lanes: readonly Lane[] = []
  #expecting = false
  readonly #finished = new Watched()
  readonly #cancels = new Watched()
  /** Whether the last claim found nothing. */
  #idle = false
  /** Whether it left nothing to claim. */
  #exhausted = false
  #rest: (Rest & { monotonicMs: number; worker: string }) | null = null
  readonly #quiet: () => Queries | null

  constructor(options: {
    store: Store
    clock: Clock
    kinds: Kinds
    from: string
    /** Where wake-ups are said. */
    channel: string
    /** A connection that nobody else works on: questions keep it from falling asleep. */
    quiet: () => Queries | null
  }) {
    this.#quiet = options.quiet
    this.channel = options.channel
    this.#store = options.store
    this.#clock = options.clock
    this.#kinds = options.kinds
    this.#from = options.from
    this.#store.onConnect(() => this.#heads.reset())
  }

  /** There may be something to claim: the next claim is no idle one. */
  expect(): void {
    this.#expecting = true
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    this.#lanes = request.lanes
    // On a virtual clock every question is asked by itself: what was seen a moment ago may be hours old.
    const idle = this.#idle && !this.#expecting && this.#clock.real
    const woken = this.#exhausted && this.#expecting
    this.#expecting = false
    await this.#releaseUncertain()
    for (;;) {
      const number = this.#numbers.get(request.worker) ?? (await this.#register(request))
      const lid = this.#nextLid()
      try {
        const monotonicMs = this.#clock.monotonic()
        const context = { heads: this.#heads, kinds: this.#kinds, now: this.#store.now(), monotonicMs, idle }
        const one = woken ? await claimOne(this.#store, context, { ...request, number, lid }) : null
        if (one) {
          this.batches.claimed([one.job])
          this.#idle = false
          return { jobs: [one.job], nextDueInMs: one.nextDueInMs }
        }
        const answer = await claim((idle ? this.#quiet() : null) ?? this.#store, context, {
          ...request,
          number,
          lid,
        })
        if (answer) {
          const { rest, jobs, nextDueInMs, more } = answer
          this.batches.claimed(jobs)
          this.#idle = jobs.length === 0
          this.#exhausted = !more
          if (rest) this.#rest = { ...rest, monotonicMs, worker: request.worker }
          return { jobs, nextDueInMs }
        }
        // Its lease has ended.
        this.forget(request.worker)
      } catch (error) {
        if (isConnectionLoss((error as Error).cause ?? error))
          this.#uncertain.set(lid, { worker: request.worker, sinceMs: this.#clock.monotonic() })
        throw error
      }
    }
  }

  async #register({ worker, leaseMs }: ClaimRequest): Promise<number> {
    await this.heartbeat({ worker, label: worker, leases: [], leaseMs })
    return this.#numbers.get(worker) as number
  }

  /** What the last claim saw on the side, if that is not too long ago. */
  rest(): Rest | null {
    const rest = this.#rest
    return rest && this.#clock.monotonic() - rest.monotonicMs < restMs ? rest : null
  }

  /** Something was changed here that the last claim could not see. */
  forgetRest(): void {
    this.#rest = null
  }

  async heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    const rest = this.rest()
    // An idle worker's claims extend its lease as well.
    const lanes = beat.lanes === undefined ? undefined : JSON.stringify(beat.lanes)
    const told = lanes === undefined || this.#told.get(beat.worker) === lanes
    if (rest && this.#rest?.worker === beat.worker && beat.leases.length === 0 && told)
      return {
        lost: [],
        cancelRequested: [],
        serverNow: rest.now + (this.#clock.monotonic() - this.#rest.monotonicMs),
      }
    const context = { now: this.#store.now(), wake: `${wake.ready} ${this.#from}` }
    // Handlers that write in transactions of their own may hold all others for as long as they like.
    const { number, ...answer } = await heartbeat(this.#quiet() ?? this.#store, context, beat)
    this.#numbers.set(beat.worker, number)
    if (lanes !== undefined) this.#told.set(beat.worker, lanes)
    return answer
  }

  /** A worker's number; 0, which nobody has, for one that never had a lease. */
  async number(worker: string): Promise<number> {
    const known = this.#numbers.get(worker)
    if (known !== undefined) return known
    const row = await one<{ worker: number }>(
      this.#store,
      'SELECT worker FROM millrace.worker WHERE name = $1',
      [worker],
    )
    if (row) this.#numbers.set(worker, row.worker)
    return row?.worker ?? 0
  }

  forget(worker: string): void {
    this.#numbers.delete(worker)
    this.#told.delete(worker)
  }

  /** Gives back, without spending an attempt, what a claim took whose answer never came. */
  async #releaseUncertain(): Promise<void> {
    for (const [lid, { worker, sinceMs }] of this.#uncertain) {
      const held = await leaseOf(this.#store, lid)
      // The server may still be at it, although its connection is gone.
      if (!held && this.#clock.monotonic() - sinceMs < uncertainMs) continue
      if (held)
        await settle(
          this.#store,
          {
            now: this.#store.now(),
            wake: `${wake.ready} ${this.#from}`,
            channel: this.channel,
            quiet: false,
            worker: await this.number(worker),
            batches: this.batches,
            kinds: this.#kinds,
          },
          held.ids.map((id, index) => ({
            lease: { id, epoch: held.epochs[index] as number, token: leaseToken(lid) },
            outcome: { kind: 'release' },
            ranMs: 0,
          })),
        )
      this.#uncertain.delete(lid)
    }
  }

  /** Where nothing is heard: whether anything was enqueued for these lanes, or has finished, since the last look. */
  async look(): Promise<Hint[]> {
    const asked = this.#heads.ask(this.#clock.monotonic())
    const [row] = await this.#store.all<{ ready: boolean; finished: number; cancels: number }>(
      `WITH open AS MATERIALIZED (
         SELECT k.kind FROM millrace.kind k WHERE k.kind = ANY ($1::int4[])
           AND NOT EXISTS (SELECT FROM millrace.queue q WHERE q.queue = k.queue AND q.paused)
       )
       SELECT (SELECT last_value FROM millrace.finished_seq) AS finished,
         (SELECT last_value FROM millrace.cancel_seq) AS cancels, EXISTS (
         SELECT FROM open o JOIN millrace.band b ON b.kind = o.kind LEFT JOIN unnest($2::int4[], $3::int2[], $4::int8[]) AS h (kind, rank, head)
             ON h.kind = b.kind AND h.rank = b.rank,
           LATERAL (SELECT FROM millrace.ready r WHERE r.kind = b.kind AND r.rank = b.rank AND r.seq > coalesce(h.head, 0)
             ORDER BY r.seq LIMIT 1) AS found
       ) OR EXISTS (
         SELECT FROM open o, LATERAL
           (SELECT d.run_at FROM millrace.delayed d WHERE d.kind = o.kind ORDER BY d.run_at LIMIT 1) AS first
         WHERE first.run_at <= millrace.now_ms($5)
       ) OR (SELECT count(*) FROM millrace.kind) > $6 OR cardinality($7::int8[]) > 0 AS ready`,
      [
        array(this.#kinds.of(this.#lanes)),
        asked.bands,
        asked.ranks,
        asked.heads,
        this.#store.now(),
        this.#kinds.count,
        asked.late,
      ],
    )
    if (!row) return []
    const hints: Hint[] = row.ready ? [{ kind: 'ready', queue: null }] : []
    if (this.#finished.moved(row.finished)) hints.push({ kind: 'settled', ids: null })
    if (this.#cancels.moved(row.cancels)) hints.push({ kind: 'cancel' })
    return hints
  }

  #nextLid(): number {
    this.#lid++
    if (this.#lid % 2 ** lidBits === 0) this.#lid = freshLid()
    return this.#lid
  }
}

/** A sequence's value. It moves before its transaction commits, so whoever is told is told at the next look as well. */
class Watched {
  #value = -1
  #again = false

  moved(value: number): boolean {
    const moved = value !== this.#value
    const tell = moved || this.#again
    this.#again = moved
    this.#value = value
    return tell
  }
}

/** Of this process alone, as far as chance can make it so. Fits into a number. */
function freshLid(): number {
  return Math.floor(systemRandom.number() * 2 ** (52 - lidBits)) * 2 ** lidBits + 1
}
