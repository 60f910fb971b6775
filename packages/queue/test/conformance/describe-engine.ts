import { describe } from 'vitest'
import { attemptCases } from './attempts.ts'
import { cancelCases } from './cancel.ts'
import { claimCases } from './claim.ts'
import { countCases } from './counts.ts'
import { enqueueCases } from './enqueue.ts'
import { errorCases } from './errors.ts'
import { hintCases } from './hints.ts'
import { idempotencyCases } from './idempotency.ts'
import { leaseCases } from './lease.ts'
import { listCases } from './list.ts'
import { modelCases } from './model.ts'
import { payloadCases } from './payload.ts'
import { queueCases } from './queues.ts'
import { redriveCases } from './redrive.ts'
import { removeCases } from './remove.ts'
import { reportCases } from './report.ts'
import { rescheduleCases } from './reschedule.ts'
import { rescueCases } from './rescue.ts'
import { retentionCases } from './retention.ts'
import { scheduleCases } from './schedule.ts'
import { settleCases } from './settle.ts'
import type { EngineSubject } from './stage.ts'
import { transactionCases } from './transaction.ts'

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

/** Everything that an engine must keep. One call per engine, in that engine's own test file. */
export function describeEngine(name: string, options: Omit<EngineSubject, 'name'>): void {
  const subject = { name, ...options }
  describe(`${name}: the contract`, () => {
    for (const [topic, cases] of engineTopics) describe(topic, () => cases(subject))
  })
}
