export {
  type AnyJob,
  defineJob,
  type JobDefinition,
  type JobOptions,
  type PayloadInput,
  type PayloadOutput,
  type ResultInput,
  type ResultOutput,
  type Schema,
} from './definition.ts'
export { type Clock, type Random, sleep, systemClock, systemRandom, type Timer } from './engine/clock.ts'
export type * from './engine/contract.ts'
export { type ErrorCode, type Fault, isQueueError, QueueError } from './engine/errors.ts'
export type { EngineCall } from './engine/observed.ts'
export type { Enqueued, EnqueueOptions, JobId } from './enqueue.ts'
export type { EventName, LifecycleEvents, Listener } from './events.ts'
export { type AttemptLog, type Handler, type HandlerContext, handle, type RunningJob } from './handler.ts'
export { type Backoff, exponential, fixed, type Jitter } from './job/backoff.ts'
export { NonRetryableError, RetryAfterError } from './job/decide.ts'
export { type Duration, parseDuration } from './job/duration.ts'
export { decodeForeignJson, JsonFault } from './job/json.ts'
export type { JobError } from './job/error.ts'
export type { RecurrenceRule } from './job/recurrence-rule.ts'
export type { Retention, RetentionLimit, RetentionRule } from './job/retention.ts'
export { type DisplayState, isTerminal, type JobState, jobStates, type TerminalState } from './job/state.ts'
export type { Job } from './job-view.ts'
export { openEngine, type OpenEngineOptions } from './open-engine.ts'
export { type CancelResult, createMillrace, type LogView, Millrace, type MillraceOptions } from './queue.ts'
export type { DrainOptions, DrainResult, StopOptions, WorkerOptions } from './runtime/options.ts'
export { createWorker, Worker } from './runtime/worker.ts'
export { previewSchedule, type ScheduleOptions, type Schedules } from './schedules.ts'
export { createTestMillrace, TestMillrace, type TestOptions } from './testing/test-millrace.ts'
