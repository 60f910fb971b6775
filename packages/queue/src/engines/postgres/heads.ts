import { array } from './queries.ts'

/** The first row of a claim's answer. */
export interface Look {
  /** `xmin:xmax:xid,…` of a snapshot taken before anything was read. */
  snapshot: string
  /** Each band's first row that was not taken whole. */
  next: [kind: number, rank: number, seq: string | null][] | null
  /** Transactions asked about whose rows are not used up. */
  late: string[] | null
  dueIn: number | null
  kinds: number
  rest: Rest | null
}

/** What an idle worker asks for on the side. */
export interface Rest {
  now: number
  /** Whether some worker's lease has ended. */
  expired: boolean
  /** Another when schedules have changed. */
  schedules: string
  /** For how long somebody watches the feed. */
  watchedForMs: number
}

interface Band {
  kind: number
  rank: number
  head: bigint
}

/** So many transactions that ran when a head moved are looked after one by one; above, the head waits for the oldest. */
const lateAtMost = 64
/** However sure we are: everything is looked at anew this often. */
const renewMs = 30_000

/** In so many bands a claim of one job may look. */
const bandsAtMost = 8

const ordinalBits = 20n

/**
 * Below a band's head everything has been seen: claimed, or not there. So a claim never walks over what was there before,
 * however long a forgotten transaction keeps it from being cleaned up.
 *
 * A row's seq begins with its writer's transaction id. A snapshot tells which transactions had not ended then: their
 * rows may still appear below the head, and each such transaction (`late`) is asked for by its own short range until it
 * has ended and its rows are used up. All others come above.
 */
export class Heads {
  readonly #bands = new Map<string, Band>()
  #late = new Set<bigint>()
  #xmax = 0n
  #renewedAt = Number.NEGATIVE_INFINITY
  #version = 0

  /** Forgets everything: what was learnt on another connection may be of another server. */
  reset(): void {
    this.#bands.clear()
    this.#late.clear()
    this.#xmax = 0n
    this.#version++
  }

  /** The claim's parameters, and which state of the memory they are. */
  ask(now: number): {
    version: number
    /** Nothing is remembered: this look sees everything. */
    fresh: boolean
    bands: string
    ranks: string
    heads: string
    late: string
  } {
    if (now - this.#renewedAt > renewMs) {
      this.#renewedAt = now
      this.reset()
    }
    const bands = [...this.#bands.values()]
    return {
      version: this.#version,
      fresh: bands.length === 0,
      bands: array(bands.map(band => band.kind)),
      ranks: array(bands.map(band => band.rank)),
      heads: array(bands.map(band => band.head.toString())),
      late: array([...this.#late].map(String)),
    }
  }

  /**
   * The bands of these kinds, for a claim that looks at nothing else. Null while some transaction may still put something
   * below a head, and when there are too many.
   */
  known(kinds: readonly number[], now: number): { kinds: string; ranks: string; heads: string } | null {
    if (this.#late.size > 0 || now - this.#renewedAt > renewMs) return null
    const bands = [...this.#bands.values()].filter(band => kinds.includes(band.kind))
    if (bands.length === 0 || bands.length > bandsAtMost) return null
    return {
      kinds: array(bands.map(band => band.kind)),
      ranks: array(bands.map(band => band.rank)),
      heads: array(bands.map(band => band.head.toString())),
    }
  }

  learn(version: number, look: Look): void {
    const [, xmaxText = '0', running = ''] = look.snapshot.split(':')
    const xmax = BigInt(xmaxText)
    if (xmax < this.#xmax) return this.reset()
    // Another claim has moved the heads since, or they were forgotten: what this one saw is of an older memory.
    if (version !== this.#version) return
    this.#version++
    this.#xmax = xmax
    const unused = new Set(look.late?.map(BigInt))
    const late = new Set<bigint>()
    for (const xid of running.split(',')) if (xid !== '') late.add(BigInt(xid))
    for (const xid of this.#late) if (unused.has(xid)) late.add(xid)
    let bound = (xmax << ordinalBits) - 1n
    if (late.size > lateAtMost) {
      const oldest = [...late].reduce((a, b) => (a < b ? a : b))
      bound = (oldest << ordinalBits) - 1n
      late.clear()
      // Those of lanes that were not asked for, too.
      for (const band of this.#bands.values()) if (band.head > bound) band.head = bound
    }
    for (const [kind, rank, seq] of look.next ?? []) {
      const key = `${kind}.${rank}`
      const next = seq === null ? bound : BigInt(seq) - 1n
      const head = next < bound ? next : bound
      this.#bands.set(key, { kind, rank, head })
    }
    this.#late = late
  }
}
