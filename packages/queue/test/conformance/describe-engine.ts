import { describe } from 'vitest'
import { attemptCases } from './attempts.ts'
import { cancelCases } from './cancel.ts'
import { cancellationCases } from './cancellation.ts'
import { claimCases } from './claim.ts'
import { completeCases } from './complete.ts'
import { countCases } from './counts.ts'
import { drainCases } from './drain.ts'
import { enqueueCases } from './enqueue.ts'
import { errorCases } from './errors.ts'
import { eventCases } from './events.ts'
import { hintCases } from './hints.ts'
import { idempotencyCases } from './idempotency.ts'
import { leaseCases } from './lease.ts'
import { listCases } from './list.ts'
import { modelCases } from './model.ts'
import { payloadCases } from './payload.ts'
import { prunerCases } from './pruner.ts'
import { queueCases } from './queues.ts'
import { redriveCases } from './redrive.ts'
import { removeCases } from './remove.ts'
import { reportCases } from './report.ts'
import { rescheduleCases } from './reschedule.ts'
import { rescueCases } from './rescue.ts'
import { resultCases } from './result.ts'
import { retentionCases } from './retention.ts'
import { retryCases } from './retries.ts'
import { scheduleCases } from './schedule.ts'
import { schedulerCases } from './scheduler.ts'
import { settleCases } from './settle.ts'
import { shutdownCases } from './shutdown.ts'
import type { EngineSubject } from './stage.ts'
import { submitCases } from './submit.ts'
import { survivalCases } from './survival.ts'
import { timeoutCases } from './timeouts.ts'
import { transactionCases } from './transaction.ts'
import { workerCases } from './worker.ts'

/** The contract, topic by topic. */
const engineTopics: [string, (subject: EngineSubject) => void][] = [
  ['enqueue', enqueueCases],
  ['idempotency', idempotencyCases],
  ['claim', claimCases],
  ['settle', settleCases],
  ['lease', leaseCases],
  ['rescue', rescueCases],
  ['cancel', cancelCases],
  ['reschedule', rescheduleCases],
  ['redrive', redriveCases],
  ['remove', removeCases],
  ['queues', queueCases],
  ['report', reportCases],
  ['attempts', attemptCases],
  ['list', listCases],
  ['counts', countCases],
  ['retention', retentionCases],
  ['schedule', scheduleCases],
  ['transaction', transactionCases],
  ['hints', hintCases],
  ['payload', payloadCases],
  ['errors', errorCases],
  ['model', modelCases],
]

/** The runtime over the engine. */
const runtimeTopics: [string, (subject: EngineSubject) => void][] = [
  ['submit', submitCases],
  ['worker', workerCases],
  ['retries', retryCases],
  ['timeouts', timeoutCases],
  ['cancellation', cancellationCases],
  ['survival', survivalCases],
  ['shutdown', shutdownCases],
  ['drain', drainCases],
  ['result', resultCases],
  ['complete', completeCases],
  ['scheduler', schedulerCases],
  ['pruner', prunerCases],
  ['events', eventCases],
]

/** Everything that an engine must keep. One call per engine, in that engine's own test file. */
export function describeEngine(name: string, options: Omit<EngineSubject, 'name'>): void {
  const subject = { name, ...options }
  describe(`${name}: the contract`, () => {
    for (const [topic, cases] of engineTopics) describe(topic, () => cases(subject))
  })
  describe(`${name}: the runtime`, () => {
    for (const [topic, cases] of runtimeTopics) describe(topic, () => cases(subject))
  })
}
