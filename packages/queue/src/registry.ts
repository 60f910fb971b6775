import type { AnyJob } from './definition.ts'
import { QueueError } from './engine/errors.ts'

/** The definitions that this process knows, by type and by alias. */
export class Registry {
  readonly #byName = new Map<string, AnyJob>()
  readonly #definitions = new Set<AnyJob>()

  /** Adds definitions. Throws `invalid-argument` when two claim one name. */
  add(definitions: Iterable<AnyJob>): void {
    for (const definition of definitions) {
      const names = [definition.type, ...definition.aliases]
      for (const name of names) {
        const known = this.#byName.get(name)
        if (known && known !== definition)
          throw new QueueError(
            'invalid-argument',
            `two definitions claim the job type ${name}; give one another name`,
          )
      }
      for (const name of names) this.#byName.set(name, definition)
      this.#definitions.add(definition)
    }
  }

  find(type: string): AnyJob | undefined {
    return this.#byName.get(type)
  }

  /** Throws `unknown-type`, naming the known ones. */
  get(type: string): AnyJob {
    const definition = this.#byName.get(type)
    if (definition) return definition
    const known = [...this.#definitions].map(each => each.type).sort()
    throw new QueueError(
      'unknown-type',
      `no job type ${JSON.stringify(type)} is registered here; known: ${known.join(', ') || 'none'}`,
    )
  }

  all(): AnyJob[] {
    return [...this.#definitions]
  }
}
