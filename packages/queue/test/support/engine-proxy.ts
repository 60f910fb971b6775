/** Counts the calls that are under way, so that virtual time can wait for them. */
export class InFlight {
  #count = 0
  #waiting: (() => void)[] = []

  get busy(): boolean {
    return this.#count > 0
  }

  /** Calls once, when the next of those under way has ended. */
  onEnd(listener: () => void): void {
    this.#waiting.push(listener)
  }

  watch<T extends object>(target: T): T {
    return delegate(target, (_name, method) => (...args) => {
      const answer = method(...args)
      if (answer instanceof Promise) {
        this.#count++
        const done = (): void => {
          this.#count--
          for (const tell of this.#waiting.splice(0)) tell()
        }
        answer.then(done, done)
      }
      return answer
    })
  }
}

/** `target` with some of its methods replaced, as if it failed or dawdled there. */
export function override<T extends object>(target: T, methods: Partial<T>): T {
  return delegate(target, (name, method) => (methods[name as keyof T] as Method | undefined) ?? method)
}

type Method = (...args: unknown[]) => unknown

function delegate<T extends object>(target: T, wrap: (name: string | symbol, method: Method) => Method): T {
  const get = (_: object, name: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, name, target)
    return typeof value === 'function' ? wrap(name, value.bind(target) as Method) : value
  }
  // Not a proxy of `target` itself: one of a frozen object could not answer with wrapped methods.
  return new Proxy({} as object, { get }) as T
}
