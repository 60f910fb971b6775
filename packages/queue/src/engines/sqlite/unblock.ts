import { formatId } from '../../job/id.ts'
import { phase, type Phase } from './codes.ts'
import type { CounterChanges } from './counters.ts'
import { idList } from './end-waiting.ts'
import type { Store } from './store.ts'

/** Counts down what depends on these jobs, and queues what waits for nothing any more. Answers whether any may run now. */
export function release(store: Store, now: number, ended: string[], counters: CounterChanges): boolean {
  if (ended.length === 0) return false
  const counted = store.rows<[job: Uint8Array, waits: number]>(
    `UPDATE millrace_node SET waits = waits - freed.count
     FROM (SELECT e.dependent AS job, count(*) AS count FROM json_each(?1) c
             CROSS JOIN millrace_edge e ON e.job = unhex(c.value, '-') AND e.awaited = 0
           GROUP BY e.dependent) freed
     WHERE millrace_node.job = freed.job AND waits > 0 RETURNING millrace_node.job, waits`,
    idList(ended),
  )
  const free = counted.filter(([, waits]) => waits === 0).map(([job]) => formatId(job))
  if (free.length === 0) return false
  const jobs = store.rows<[n: number, kind: number, runAt: number]>(
    `SELECT j.n, j.kind, j.run_at FROM json_each(?1) c CROSS JOIN millrace_job j ON j.id = unhex(c.value, '-')
     WHERE j.phase = 3`,
    idList(free),
  )
  const due = jobs.filter(([, , runAt]) => runAt <= now)
  move(store, now, { jobs: due, to: phase.ready, counters })
  move(store, now, { jobs: jobs.filter(([, , runAt]) => runAt > now), to: phase.delayed, counters })
  return due.length > 0
}

function move(
  store: Store,
  now: number,
  of: { jobs: [n: number, kind: number, runAt: number][]; to: Phase; counters: CounterChanges },
): void {
  if (of.jobs.length === 0) return
  store.run(
    `UPDATE millrace_job SET phase = ?2, run_at = max(run_at, ?3) WHERE n IN (SELECT value FROM json_each(?1))`,
    `[${of.jobs.map(([n]) => n).join()}]`,
    of.to,
    now,
  )
  for (const [, kind] of of.jobs) of.counters.move(kind, phase.blocked, of.to)
}

/** Queues the jobs that wait in a step for the end of one of these. Answers whether there was any. */
export function wakeParents(store: Store, now: number, ended: string[], counters: CounterChanges): boolean {
  if (ended.length === 0) return false
  const parked = store.rows<Parked>(
    `SELECT j.n, j.kind, j.phase FROM json_each(?1) c
       CROSS JOIN millrace_edge e ON e.job = unhex(c.value, '-') AND e.awaited = 1
       CROSS JOIN millrace_job j ON j.id = e.dependent AND j.phase IN (1, 3)
       CROSS JOIN millrace_step s ON s.job = j.id AND s.parked = j.epoch AND s.child = e.job`,
    idList(ended),
  )
  return wake(store, now, parked, counters)
}

/** Queues the job when it waits in a step for a signal of this name. Answers whether it did. */
export function wakeForSignal(
  store: Store,
  now: number,
  signal: { job: Uint8Array; name: string },
  counters: CounterChanges,
): boolean {
  const parked = store.rows<Parked>(
    `SELECT j.n, j.kind, j.phase FROM millrace_job j
       CROSS JOIN millrace_step s ON s.job = j.id AND s.parked = j.epoch AND s.signal = ?2
     WHERE j.id = ?1 AND j.phase IN (1, 3)`,
    signal.job,
    signal.name,
  )
  return wake(store, now, parked, counters)
}

type Parked = [n: number, kind: number, code: Phase]

function wake(store: Store, now: number, parked: Parked[], counters: CounterChanges): boolean {
  for (const [n, kind, code] of parked) {
    store.run('UPDATE millrace_job SET phase = 0, run_at = ? WHERE n = ?', now, n)
    counters.move(kind, code, phase.ready)
  }
  return parked.length > 0
}
