import type { Lane } from '../../engine/contract.ts'
import { array, type Queries } from './queries.ts'

export interface Kind {
  kind: number
  queue: string
  type: string
}

/** The pairs of queue and type, by number. Rows are only ever added, so what was read once stays true. */
export class Kinds {
  readonly #byNumber = new Map<number, Kind>()
  readonly #byName = new Map<string, Kind>()
  readonly #bands = new Set<number>()

  get count(): number {
    return this.#byNumber.size
  }

  get(kind: number): Kind | undefined {
    return this.#byNumber.get(kind)
  }

  find(queue: string, type: string): number | undefined {
    return this.#byName.get(nameOf(queue, type))?.kind
  }

  /** The numbers of those pairs in the lanes that ever held a job. */
  of(lanes: readonly Lane[]): number[] {
    const found = new Set<number>()
    for (const { queue, types } of lanes)
      for (const type of types) {
        const kind = this.find(queue, type)
        if (kind !== undefined) found.add(kind)
      }
    return [...found]
  }

  async refresh(db: Queries): Promise<void> {
    for (const row of await db.all<Kind>('SELECT kind, queue, type FROM millrace.kind')) this.#remember(row)
  }

  /** Makes those that are new, in a transaction of its own: inside a caller's they would block everybody else's. */
  async ensure(db: Queries, pairs: readonly { queue: string; type: string }[]): Promise<void> {
    const missing = new Map<string, { queue: string; type: string }>()
    for (const pair of pairs)
      if (this.find(pair.queue, pair.type) === undefined) missing.set(nameOf(pair.queue, pair.type), pair)
    if (missing.size === 0) return
    const wanted = [...missing.values()]
    const names = [wanted.map(each => each.queue), wanted.map(each => each.type)]
    await db.all(
      `INSERT INTO millrace.kind (queue, type) SELECT u.queue, u.type FROM unnest($1::text[], $2::text[]) AS u (queue, type)
       WHERE NOT EXISTS (SELECT FROM millrace.kind k WHERE k.queue = u.queue AND k.type = u.type)
       ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
      names,
    )
    const rows = await db.all<Kind>(
      `SELECT k.kind, k.queue, k.type FROM unnest($1::text[], $2::text[]) AS u (queue, type)
       JOIN millrace.kind k ON k.queue = u.queue AND k.type = u.type`,
      names,
    )
    for (const row of rows) this.#remember(row)
  }

  /** The same for bands. */
  async ensureBands(db: Queries, bands: readonly { kind: number; priority: number }[]): Promise<void> {
    const missing = bands.filter(band => !this.knowsBands([band]))
    if (missing.length === 0) return
    await db.all(
      `INSERT INTO millrace.band (kind, rank) SELECT DISTINCT u.kind, u.priority * 2 + 1
       FROM unnest($1::int4[], $2::int2[]) AS u (kind, priority) ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
      [array(missing.map(each => each.kind)), array(missing.map(each => each.priority))],
    )
    this.rememberBands(missing)
  }

  knowsBands(bands: readonly { kind: number; priority: number }[]): boolean {
    return bands.every(({ kind, priority }) => this.#bands.has(kind * 16 + priority))
  }

  /** They are there: committed, and never deleted. */
  rememberBands(bands: readonly { kind: number; priority: number }[]): void {
    for (const { kind, priority } of bands) this.#bands.add(kind * 16 + priority)
  }

  #remember(row: Kind): void {
    this.#byNumber.set(row.kind, row)
    this.#byName.set(nameOf(row.queue, row.type), row)
  }
}

function nameOf(queue: string, type: string): string {
  return `${queue}\n${type}`
}
