import type { BorderContext, Services } from '../border/context.ts'

/** Fires when the time is up, when nobody waits for the answer any more, and when the server stops. */
export function deadline({ budgetMs, stopping, c }: Limits): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(budgetMs), c.req.raw.signal, stopping])
}

type Limits = Pick<Services, 'budgetMs' | 'stopping'> & { c: BorderContext }
