import type { Engine } from './contract.ts'

/** One call of an engine, as telemetry sees it. No payloads, no ids. */
export interface EngineCall {
  operation: keyof Engine
  durationMs: number
  /** How many items went in, for calls that take a batch. */
  items: number | null
  error: unknown
}

/**
 * The same engine, with every call told to `observe` when it has ended. The one place where telemetry meets an engine:
 * engines themselves never log.
 */
export function observed(
  engine: Engine,
  monotonic: () => number,
  observe: (call: EngineCall) => void,
): Engine {
  const wrap = (operation: keyof Engine, method: (...values: unknown[]) => unknown) => {
    return (...values: unknown[]): unknown => {
      const startedAt = monotonic()
      const tell = (error: unknown): void => {
        const batch = values.find(value => Array.isArray(value)) as unknown[] | undefined
        try {
          const heard: unknown = (observe as (call: EngineCall) => unknown)({
            operation,
            durationMs: monotonic() - startedAt,
            items: batch?.length ?? null,
            error,
          })
          if (heard instanceof Promise) heard.catch(() => {})
        } catch {
          // An observer's fault is not the caller's.
        }
      }
      const answer = method.apply(engine, values)
      if (!(answer instanceof Promise)) return answer
      return answer.then(
        value => (tell(null), value as unknown),
        error => {
          tell(error)
          throw error
        },
      )
    }
  }
  return new Proxy(engine, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function'
        ? wrap(key as keyof Engine, value as (...values: unknown[]) => unknown)
        : value
    },
  })
}
