import type { Store } from './store.ts'

export interface Kind {
  kind: number
  queue: string
  type: string
}

/** The pairs of queue and type, by number. Rows are only ever added, so what was read once stays true. */
export class Kinds {
  readonly #byNumber = new Map<number, Kind>()
  readonly #byName = new Map<string, Kind>()
  /** The newest that a look at all has seen. */
  #last = 0

  /** The kind's number, made when it is new. Inside a write. */
  number(store: Store, queue: string, type: string): number {
    const name = `${queue}\n${type}`
    const known = this.#byName.get(name)
    if (known) return known.kind
    // Not remembered from here: this transaction may yet be rolled back, and its number given to another.
    const row =
      store.get<Kind>(
        'SELECT kind, queue, type FROM millrace_kind WHERE queue = ? AND type = ?',
        queue,
        type,
      ) ??
      store.get<Kind>(
        'INSERT INTO millrace_kind (queue, type) VALUES (?, ?) RETURNING kind, queue, type',
        queue,
        type,
      )
    return (row as Kind).kind
  }

  /** Outside a write: what is read then is committed. Rows are only ever added. */
  refresh(store: Store): void {
    const added = store.all<Kind>('SELECT kind, queue, type FROM millrace_kind WHERE kind > ?', this.#last)
    for (const row of added) this.#remember(row)
    this.#last = added.reduce((last, { kind }) => Math.max(last, kind), this.#last)
  }

  get(store: Store, kind: number): Kind {
    const known = this.#byNumber.get(kind)
    if (known) return known
    const row = store.get<Kind & Record<string, never>>(
      'SELECT kind, queue, type FROM millrace_kind WHERE kind = ?',
      kind,
    )
    // What is read inside a transaction may yet be rolled back.
    if (row && !store.db.isTransaction) this.#remember(row)
    return row as Kind
  }

  all(): Kind[] {
    return [...this.#byNumber.values()]
  }

  find(queue: string, type: string): number | undefined {
    return this.#byName.get(`${queue}\n${type}`)?.kind
  }

  #remember(row: Kind): void {
    this.#byNumber.set(row.kind, row)
    this.#byName.set(`${row.queue}\n${row.type}`, row)
  }
}
