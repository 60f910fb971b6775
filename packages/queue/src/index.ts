export {
  type AnyJob,
  type AttributeValue,
  defineJob,
  type JobDefinition,
  type JobOptions,
  type PayloadInput,
  type PayloadOutput,
  type ResultInput,
  type ResultOutput,
  type Schema,
  type SearchAttributes,
} from './definition.ts'
export {
  atMost,
  type Clock,
  type Random,
  sleep,
  systemClock,
  systemRandom,
  type Timer,
} from './engine/clock.ts'
export type * from './engine/contract.ts'
export type { AuditFilter, AuditRecord, AuditStore, NewAuditEntry } from './engine/audit.ts'
export type { FeedEntry, FeedEvent, FeedPage, FeedStore, NewFeedEntry } from './engine/feed.ts'
export { feedEvents } from './engine/feed.ts'
export type { SeriesQuery, SeriesRow, SeriesStore, SeriesSum, SeriesTotals } from './engine/series.ts'
export type * from './engine/flow.ts'
export { flowStates } from './engine/flow.ts'
export type * from './engine/step.ts'
export { type ErrorCode, type Fault, isQueueError, QueueError } from './engine/errors.ts'
export type { EngineCall } from './engine/observed.ts'
export type { Enqueued, EnqueueOptions, JobId } from './enqueue.ts'
export type { EventName, LifecycleEvents, Listener } from './events.ts'
export type { Audit, AuditEntry, NewAudit } from './audit/audit.ts'
export type { Feed, FeedRead } from './feed/feed.ts'
export type { FeedFilter } from './feed/feed-filter.ts'
export type { FeedGap, FeedItem, Follower } from './feed/follower.ts'
export type { Dependencies, Dependency } from './flow/dependencies.ts'
export { type Flow, flow, type FlowNode, type FlowOptions, type NodeOptions } from './flow/flow.ts'
export type { EnqueuedFlow, Flows } from './flow/flows.ts'
export { defineOutbox, type Outbox, type OutboxOptions } from './flow/outbox.ts'
export { defineSignal, type SignalDefinition } from './flow/signal.ts'
export type { EnqueueAndWaitOptions, StepContext, Steps, WaitForSignalOptions } from './flow/steps.ts'
export {
  type AttemptLog,
  type ChildOptions,
  type FlowContext,
  type Handler,
  type HandlerContext,
  handle,
  type RunningJob,
} from './handler.ts'
export { type Backoff, backoffWaits, exponential, fixed, type Jitter } from './job/backoff.ts'
export { NonRetryableError, RetryAfterError } from './job/decide.ts'
export { type Duration, parseDuration } from './job/duration.ts'
export { decodeForeignJson, JsonFault } from './job/json.ts'
export type { JobError } from './job/error.ts'
export type { RecurrenceRule } from './job/recurrence-rule.ts'
export type { ScheduledRun } from './job/recurrence-run.ts'
export { defaultRetention, type Retention, type RetentionLimit, type RetentionRule } from './job/retention.ts'
export { type DisplayState, isTerminal, type JobState, jobStates, type TerminalState } from './job/state.ts'
export type { Job, Step } from './job-view.ts'
export type { Bulk, BulkOptions, BulkPlan, BulkProgress, BulkResult } from './inspect/bulk.ts'
export type { BulkAction, BulkTarget } from './inspect/bulk-action.ts'
export type {
  DeadCause,
  DeadGroup,
  DeadGroups,
  DeadLetters,
  GroupOptions,
  RedrivePlan,
} from './inspect/dead-letters.ts'
export type { RedriveOptions, RedriveProgress, RedriveResult } from './inspect/redrive.ts'
export type { RetryWithOptions } from './inspect/retry-with.ts'
export type { SearchOptions, SearchResult } from './inspect/search.ts'
export type { Why, WhyCause, WhyDetails } from './inspect/why.ts'
export {
  openEngine,
  type OpenEngineOptions,
  type PendingMigration,
  pendingMigrations,
} from './open-engine.ts'
export { type CancelResult, createMillrace, type LogView, Millrace, type MillraceOptions } from './queue.ts'
export { type BundledStep, exportBundle, type ReplayBundle } from './replay/bundle.ts'
export { readBundle } from './replay/read-bundle.ts'
export { type Replay, replay, type ReplayLog, type ReplayOptions } from './replay/replay.ts'
export type { ReplayedStep, ReplayEffect } from './replay/replay-steps.ts'
export type { DrainOptions, DrainResult, StopOptions, WorkerOptions } from './runtime/options.ts'
export { createWorker, Worker } from './runtime/worker.ts'
export { type MisfireOption, previewRuns, previewSchedule, type RuleOptions } from './schedule-rule.ts'
export type { ScheduleOptions, SchedulePolicy, Schedules } from './schedules.ts'
export type { Latency, SeriesLine, SeriesOptions, SeriesPoint } from './series/series.ts'
export { createTestMillrace, TestMillrace, type TestOptions } from './testing/test-millrace.ts'
