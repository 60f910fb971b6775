/** Writes that are asked for in the same turn of the event loop share one commit. */
export class GroupedWrites<T> {
  readonly #commit: (items: T[]) => Promise<void>
  #waiting: { item: T; done: () => void; failed: (error: unknown) => void }[] = []
  #running = false

  constructor(commit: (items: T[]) => Promise<void>) {
    this.#commit = commit
  }

  /** Resolves when the item is stored. */
  add(item: T): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ item, done, failed })
      if (this.#running) return
      this.#running = true
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(resolve => setImmediate(resolve))
      const group = this.#waiting.splice(0)
      try {
        await this.#commit(group.map(({ item }) => item))
        for (const { done } of group) done()
      } catch (error) {
        for (const { failed } of group) failed(error)
      }
    }
    this.#running = false
  }
}
