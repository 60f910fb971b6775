import type { AnyJob } from '../definition.ts'
import { type Clock, sleep } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
import { defaultRetention, type RetentionRule } from '../job/retention.ts'
import { terminalStates } from '../job/state.ts'

/** Deleted in one transaction. */
const batch = 500
const intervalMs = 60_000
/** Between two batches others get their turn. */
const breathMs = 20

/** Deletes finished jobs that their definition no longer keeps, a small batch at a time. */
export class Pruner {
  readonly #engine: Engine
  readonly #rules: RetentionRule[]

  /** Only of these types: what another release keeps, this one can't know. */
  constructor(engine: Engine, definitions: readonly AnyJob[]) {
    this.#engine = engine
    this.#rules = definitions.flatMap(retentionRules)
  }

  /** Answers how long to wait for the next batch. */
  async tick(): Promise<number> {
    const { more } = await this.#prune()
    return more ? breathMs : intervalMs
  }

  /** Prunes until nothing is left to, or `enough` says so, but always one batch. Tells how many each batch removed. */
  async run(clock: Clock, removed: (count: number) => void, enough: () => boolean): Promise<void> {
    for (;;) {
      const pruned = await this.#prune()
      removed(pruned.removed)
      if (!pruned.more || enough()) return
      await sleep(clock, breathMs)
    }
  }

  #prune(): Promise<{ removed: number; more: boolean }> {
    return this.#engine.prune({ rules: this.#rules, limit: batch })
  }
}

/** A definition's retention, state by state and name by name. */
export function retentionRules(definition: AnyJob): RetentionRule[] {
  return [definition.type, ...definition.aliases].flatMap(type =>
    terminalStates.map(state => ({
      type,
      state,
      ...(definition.retention[state] ?? defaultRetention[state]),
    })),
  )
}
