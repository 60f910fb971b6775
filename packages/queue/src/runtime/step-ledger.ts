import { QueueError } from '../engine/errors.ts'
import type { StepKind, StepRecord, StepWrite } from '../engine/step.ts'

export interface StepPlace {
  name: string
  /** The how-manieth step of this attempt it is, by when it began. */
  ordinal: number
  kind: StepKind
  /** No two steps of this attempt have been under way at once so far, so their order is the code's. */
  inOrder: boolean
}

/** Which steps stand, and which this attempt has come to: tells a handler whose steps have changed. */
export class StepLedger {
  readonly #records = new Map<string, StepRecord>()
  readonly #byOrdinal = new Map<number, StepRecord>()
  readonly #begun = new Map<string, StepPlace>()
  readonly #taken = new Set<string>()
  #noted: StepWrite[] = []
  #open = 0
  #inOrder = true

  /** How many steps this attempt has come to. */
  get begun(): number {
    return this.#begun.size
  }

  load(records: readonly StepRecord[]): void {
    for (const record of records) {
      this.#records.set(record.name, record)
      if (stands(record)) this.#byOrdinal.set(record.ordinal, record)
    }
  }

  /** Throws `invalid-argument` for a name that this attempt has used. */
  begin(name: string, kind: StepKind): StepPlace {
    if (this.#begun.has(name))
      throw new QueueError(
        'invalid-argument',
        `this job has two steps named ${JSON.stringify(name)}: give each its own, in a loop with what it loops over`,
      )
    if (this.#open > 0) this.#inOrder = false
    this.#open++
    const place = { name, kind, ordinal: this.#begun.size + 1, inOrder: this.#inOrder }
    this.#begun.set(name, place)
    return place
  }

  end(): void {
    this.#open--
  }

  /** What stands of a step. Throws `steps-changed` when something else stands in its place. */
  find({ name, ordinal, kind, inOrder }: StepPlace): StepRecord | undefined {
    const record = this.#records.get(name)
    if (record && stands(record) && record.kind !== kind)
      throw changed(`step ${quoted(name)} was of the kind ${record.kind} and is now of the kind ${kind}`)
    const there = inOrder ? this.#byOrdinal.get(ordinal) : undefined
    if (there && there.name !== name)
      throw changed(`step ${ordinal} was ${quoted(there.name)} and is now ${quoted(name)}`)
    if (inOrder && record && stands(record) && record.ordinal !== ordinal)
      throw changed(`${quoted(name)} was step ${record.ordinal} and is now step ${ordinal}`)
    return record
  }

  /** Throws `steps-changed` when something stands that a handler at its end has not come to. */
  checkEnd(): void {
    const left = [...this.#records.values()].filter(record => stands(record) && !this.#begun.has(record.name))
    if (left.length === 0) return
    const names = left.slice(0, 5).map(record => quoted(record.name))
    throw changed(`the handler no longer comes to ${names.join(', ')}${left.length > 5 ? ' and others' : ''}`)
  }

  /** The first signal of that name that no other step of this attempt has taken. */
  take<Signal extends { id: string; name: string }>(
    signals: readonly Signal[],
    name: string,
  ): Signal | undefined {
    const found = signals.find(signal => signal.name === name && !this.#taken.has(signal.id))
    if (found) this.#taken.add(found.id)
    return found
  }

  /** To be written with whatever is written next. */
  note(step: StepWrite): void {
    this.#noted.push(step)
  }

  noted(): StepWrite[] {
    return this.#noted.splice(0)
  }
}

/** One that failed is run again in any case, wherever it is now. */
function stands(record: StepRecord): boolean {
  return record.state !== 'failed'
}

function quoted(name: string): string {
  return JSON.stringify(name)
}

function changed(what: string): QueueError {
  return new QueueError(
    'steps-changed',
    `the handler's steps have changed since this job began: ${what}. Run it with the code that it began with, or retry it with its steps forgotten`,
  )
}
