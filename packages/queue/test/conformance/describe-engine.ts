import { describe } from 'vitest'
import { attributeCases } from './attributes.ts'
import { attemptCases } from './attempts.ts'
import { auditCases } from './audit.ts'
import { auditLogCases } from './audit-log.ts'
import { bulkCases } from './bulk.ts'
import { cancelCases } from './cancel.ts'
import { cancellationCases } from './cancellation.ts'
import { claimCases } from './claim.ts'
import { claimWokenCases } from './claim-woken.ts'
import { completeCases } from './complete.ts'
import { compositionCases } from './composition.ts'
import { countCases } from './counts.ts'
import { deadLetterCases } from './dead-letters.ts'
import { drainCases } from './drain.ts'
import { enqueueCases } from './enqueue.ts'
import { errorCases } from './errors.ts'
import { eventCases } from './events.ts'
import { feedCases } from './feed.ts'
import { feedFollowCases } from './feed-follow.ts'
import { feedWritingCases } from './feed-writing.ts'
import { flowAdvanceCases } from './flow-advance.ts'
import { flowCancelCases } from './flow-cancel.ts'
import { flowEnqueueCases } from './flow-enqueue.ts'
import { flowExtendCases } from './flow-extend.ts'
import { flowFailureCases } from './flow-failure.ts'
import { flowListCases } from './flow-list.ts'
import { flowModelCases } from './flow-model-cases.ts'
import { flowRedriveCases } from './flow-redrive.ts'
import { flowTransactionCases } from './flow-transaction.ts'
import { handlerSignalCases } from './handler-signals.ts'
import { handlerStepCases } from './handler-steps.ts'
import { handlerWaitCases } from './handler-waits.ts'
import { hintCases } from './hints.ts'
import { idempotencyCases } from './idempotency.ts'
import { leaseCases } from './lease.ts'
import { listCases } from './list.ts'
import { modelCases } from './model.ts'
import { outboxCases } from './outbox.ts'
import { payloadCases } from './payload.ts'
import { prunerCases } from './pruner.ts'
import { queueCases } from './queues.ts'
import { redriveCases } from './redrive.ts'
import { removeCases } from './remove.ts'
import { replayCases } from './replay.ts'
import { reportCases } from './report.ts'
import { rescheduleCases } from './reschedule.ts'
import { rescueCases } from './rescue.ts'
import { resultCases } from './result.ts'
import { retentionCases } from './retention.ts'
import { retryCases } from './retries.ts'
import { retryWithCases } from './retry-with.ts'
import { scheduleCases } from './schedule.ts'
import { scheduleTenantCases } from './schedule-tenant.ts'
import { schedulerCases } from './scheduler.ts'
import { searchCases } from './search.ts'
import { schedulesCases } from './schedules.ts'
import { seriesCases } from './series.ts'
import { seriesCountCases } from './series-count.ts'
import { settleCases } from './settle.ts'
import { shutdownCases } from './shutdown.ts'
import { signalCases } from './signal.ts'
import type { EngineSubject } from './stage.ts'
import { stepCases } from './step.ts'
import { submitCases } from './submit.ts'
import { survivalCases } from './survival.ts'
import { timeoutCases } from './timeouts.ts'
import { transactionCases } from './transaction.ts'
import { whyCases } from './why.ts'
import { waitCases } from './wait.ts'
import { waitForChildCases } from './wait-child.ts'
import { workerCases } from './worker.ts'

/** The contract, topic by topic. */
const engineTopics: [string, (subject: EngineSubject) => void][] = [
  ['enqueue', enqueueCases],
  ['idempotency', idempotencyCases],
  ['claim', claimCases],
  ['claim: woken', claimWokenCases],
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
  ['attributes', attributeCases],
  ['counts', countCases],
  ['retention', retentionCases],
  ['schedule', scheduleCases],
  ['a schedule of a tenant', scheduleTenantCases],
  ['transaction', transactionCases],
  ['hints', hintCases],
  ['flow: enqueue', flowEnqueueCases],
  ['flow: list and retention', flowListCases],
  ['flow: advance', flowAdvanceCases],
  ['flow: failure', flowFailureCases],
  ['flow: cancel', flowCancelCases],
  ['flow: redrive', flowRedriveCases],
  ['flow: extend', flowExtendCases],
  ['flow: transaction', flowTransactionCases],
  ['step', stepCases],
  ['wait', waitCases],
  ['wait for a child', waitForChildCases],
  ['signal', signalCases],
  ['feed', feedCases],
  ['series', seriesCases],
  ['audit', auditCases],
  ['payload', payloadCases],
  ['errors', errorCases],
  ['model', modelCases],
  ['flow: model', flowModelCases],
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
  ['composition', compositionCases],
  ['steps of a handler', handlerStepCases],
  ['waits of a handler', handlerWaitCases],
  ['signals to a handler', handlerSignalCases],
  ['scheduler', schedulerCases],
  ['schedules', schedulesCases],
  ['pruner', prunerCases],
  ['events', eventCases],
  ['following the feed', feedFollowCases],
  ['writing the feed', feedWritingCases],
  ['the series of workers', seriesCountCases],
  ['the audit log', auditLogCases],
  ['why', whyCases],
  ['bulk', bulkCases],
  ['search', searchCases],
  ['dead letters', deadLetterCases],
  ['retry with', retryWithCases],
  ['replay', replayCases],
  ['outbox', outboxCases],
]

/** Everything that an engine must keep. One call per engine, in that engine's own test file. */
export function describeEngine(name: string, options: Omit<EngineSubject, 'name'>): void {
  const subject = { name, ...options }
  const title = options.mode === undefined ? name : `${name}, ${options.mode}`
  describe(`${title}: the contract`, () => {
    for (const [topic, cases] of engineTopics) describe(topic, () => cases(subject))
  })
  describe(`${title}: the runtime`, () => {
    for (const [topic, cases] of runtimeTopics) describe(topic, () => cases(subject))
  })
}
