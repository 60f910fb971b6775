import type { Store } from './store.ts'

/** For how many weeks after this one there is a partition. */
export const weeksAhead = 2

/**
 * Makes the partitions of the weeks to come. It needs a lock that one forgotten reader can keep from it, and everybody
 * else would wait behind it: so it gives up at once and is tried again later. Until then jobs stand in `job_other`,
 * where they are worked like all others.
 */
export async function makeWeeks(store: Store, now: number | null): Promise<void> {
  await store.transaction(async db => {
    await db.all(`SET LOCAL lock_timeout = '300ms'`)
    await db.all('SELECT millrace.make_weeks(millrace.now_ms($1), $2)', [now, weeksAhead])
  })
}
