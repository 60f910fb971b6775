import type { BorderContext } from '../border/context.ts'

/** Fires when the time is up, or when nobody waits for the answer any more. */
export function deadline(budgetMs: number, c: BorderContext): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(budgetMs), c.req.raw.signal])
}
