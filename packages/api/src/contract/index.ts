import * as audit from './audit.ts'
import * as bulk from './bulk.ts'
import * as deadLetters from './dead-letters.ts'
import * as drains from './drain.ts'
import * as enqueue from './enqueue.ts'
import * as events from './events.ts'
import * as flows from './flows.ts'
import * as health from './health.ts'
import * as jobActions from './job-actions.ts'
import * as jobs from './jobs.ts'
import * as metrics from './metrics.ts'
import type { Operation } from './operation.ts'
import * as queues from './queues.ts'
import * as schedules from './schedules.ts'
import * as session from './session.ts'
import * as stats from './stats.ts'
import * as types from './types.ts'
import * as workers from './workers.ts'

const resources: object[] = [
  enqueue,
  jobs,
  jobActions,
  bulk,
  flows,
  deadLetters,
  types,
  queues,
  schedules,
  workers,
  stats,
  drains,
  events,
  audit,
  metrics,
  session,
  health,
]

/** Everything that the API can be asked for. */
export const operations: readonly Operation[] = resources.flatMap(each =>
  Object.values(each as Record<string, unknown>).filter(isOperation),
)

function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && 'replies' in value
}
