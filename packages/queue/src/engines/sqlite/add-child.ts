import type { NewJob } from '../../engine/contract.ts'
import type { NewNode } from '../../engine/flow.ts'
import { formatId, parseId } from '../../job/id.ts'
import { type Adder, adderColumns, ensureFlow, nextOrdinal, nodeByName } from './adder.ts'
import type { CounterChanges } from './counters.ts'
import type { FlowChanges } from './flow-changes.ts'
import type { Kinds } from './kinds.ts'
import { insertNode } from './nodes.ts'
import type { Store } from './store.ts'

/**
 * Stores the child that a running job will wait for, with its edge; inside the write that ends the attempt. Its name is
 * the job's own and the step's; where the flow has that already, from before the steps were forgotten, a number is added.
 */
export function addChild(
  store: Store,
  kinds: Kinds,
  now: number,
  child: { n: number; step: string; job: NewJob; counters: CounterChanges; changes: FlowChanges },
): void {
  const adder = store.get<Adder & Record<string, never>>(
    `SELECT ${adderColumns} WHERE j.n = ?`,
    child.n,
  ) as Adder
  const flow = ensureFlow(store, now, adder)
  const own = store.get<{ name: string }>('SELECT name FROM millrace_node WHERE job = ?', adder.id)
  const base = `${own?.name}/${child.step}`
  let name = base
  for (let count = 2; nodeByName(store, flow, name); count++) name = `${base}#${count}`
  const node: NewNode = { name, job: child.job, after: [], onFailure: 'continue' }
  const place = { flow, ordinal: nextOrdinal(store, flow), waits: 0 }
  if (insertNode(store, kinds, now, node, place, child.counters)) child.changes.mayRun()
  store.run(
    'INSERT INTO millrace_edge (job, dependent, awaited) VALUES (?, ?, 1)',
    parseId(child.job.id),
    adder.id,
  )
  child.changes.grew(formatId(flow), { total: 1 })
}
