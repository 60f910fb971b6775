import type { Clock, Timer } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
import { bucketOf, minuteMs, seriesBuckets, type SeriesRow } from '../engine/series.ts'
import type { Outcome } from '../job/decide.ts'

/** What has changed is written this often. */
const writeMs = 10_000
/** While the store can't be written: rows that are kept for later. */
const unwrittenMost = 10_000

/** Totals of one type in one queue in one minute. */
class Cell implements SeriesRow {
  completed = 0
  failed = 0
  dead = 0
  cancelled = 0
  waitedMs = 0
  ranMs = 0
  readonly waited = new Uint32Array(seriesBuckets)
  readonly ran = new Uint32Array(seriesBuckets)
  changed = false
  readonly minute: number
  readonly type: string
  readonly queue: string
  /** Whose totals these are, for the store. */
  readonly owner: string

  constructor(of: { minute: number; type: string; queue: string; owner: string }) {
    this.minute = of.minute
    this.type = of.type
    this.queue = of.queue
    this.owner = of.owner
  }
}

interface JobKind {
  type: string
  queue: string
}

/**
 * Counts what one worker ends, in memory, and writes the totals of the minutes that have changed every ten seconds.
 * Counting makes no object but one for each type, queue and minute.
 */
export class SeriesTally {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #worker: string
  readonly #now: () => number
  readonly #trouble: (error: unknown) => void
  #minute = Number.NEGATIVE_INFINITY
  /** Of the present minute, by type, then by queue. */
  readonly #cells = new Map<string, Map<string, Cell>>()
  /** Of minutes that are over. */
  #over: Cell[] = []
  #turnsBack = 0
  #timer: Timer | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(options: {
    engine: Engine
    clock: Clock
    worker: string
    /** The time by the clock that decides on this engine. */
    now: () => number
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#clock = options.clock
    this.#worker = options.worker
    this.#now = options.now
    this.#trouble = options.trouble
  }

  /** An attempt has ended. What neither completed nor failed counts only when it ended its job. */
  ended(job: JobKind, kind: Outcome['kind'], waitedMs: number, ranMs: number): void {
    if (kind === 'snooze' || kind === 'wait' || kind === 'release') return
    const cell = this.#cell(job)
    if (kind === 'cancelled') {
      cell.cancelled++
      return
    }
    if (kind === 'complete') cell.completed++
    else {
      cell.failed++
      if (kind === 'dead') cell.dead++
    }
    cell.waitedMs += waitedMs
    cell.ranMs += ranMs
    cell.waited[bucketOf(waitedMs)]!++
    cell.ran[bucketOf(ranMs)]!++
  }

  /** A dead worker's attempt has failed; nobody knows how long it ran. */
  rescued(job: JobKind, now: 'queued' | 'dead' | 'cancelled'): void {
    const cell = this.#cell(job)
    cell.failed++
    if (now === 'dead') cell.dead++
    else if (now === 'cancelled') cell.cancelled++
  }

  #cell({ type, queue }: JobKind): Cell {
    const now = this.#now()
    const minute = now - (now % minuteMs)
    if (minute !== this.#minute) this.#turn(minute)
    let queues = this.#cells.get(type)
    if (!queues) this.#cells.set(type, (queues = new Map()))
    let cell = queues.get(queue)
    if (!cell) queues.set(queue, (cell = new Cell({ minute, type, queue, owner: this.#owner })))
    cell.changed = true
    this.#timer ??= this.#writeLater()
    return cell
  }

  #turn(minute: number): void {
    // A minute that comes again begins at zero here; it must not take the place of what was written then.
    if (minute < this.#minute) this.#turnsBack++
    this.#minute = minute
    for (const queues of this.#cells.values())
      for (const cell of queues.values()) if (cell.changed) this.#over.push(cell)
    this.#cells.clear()
    if (this.#over.length > unwrittenMost) this.#over = this.#over.slice(-unwrittenMost)
  }

  get #owner(): string {
    return this.#turnsBack === 0 ? this.#worker : `${this.#worker}#${this.#turnsBack}`
  }

  #writeLater(): Timer {
    const timer = this.#clock.after(writeMs, () => {
      this.#timer = null
      void this.write()
    })
    timer.unref?.()
    return timer
  }

  /** Writes what has changed. Never throws: what can't be written now is kept for the next time. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async #write(): Promise<void> {
    const current = [...this.#cells.values()].flatMap(queues => [...queues.values()])
    const cells = [...this.#over, ...current].filter(cell => cell.changed)
    this.#over = []
    for (const owner of new Set(cells.map(cell => cell.owner))) {
      const rows = cells.filter(cell => cell.owner === owner)
      for (const cell of rows) cell.changed = false
      try {
        await this.#engine.writeSeries(owner, rows)
      } catch (error) {
        for (const cell of rows) this.#keep(cell)
        this.#trouble(error)
        this.#timer ??= this.#writeLater()
      }
    }
  }

  /** For the next time. Those of the present minute are found again by themselves. */
  #keep(cell: Cell): void {
    cell.changed = true
    if (this.#cells.get(cell.type)?.get(cell.queue) !== cell) this.#over.push(cell)
  }

  /** The last write. */
  async close(): Promise<void> {
    await this.write()
    this.#timer?.cancel()
    this.#timer = null
  }
}
