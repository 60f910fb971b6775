export { type AuditDocument, auditDocument, auditSchema } from './audit.ts'
export { type DeadGroupDocument, deadGroupDocument, deadGroupSchema } from './dead-group.ts'
export {
  type DrainReport,
  type DrainState,
  drainReportSchema,
  drainStateSchema,
  type PendingCounts,
  pendingCounts,
} from './drain.ts'
export { type EventDocument, eventDocument, eventSchema } from './event.ts'
export {
  type FlowDocument,
  flowDocument,
  flowSchema,
  type NodeDocument,
  nodeDocument,
  nodeSchema,
} from './flow.ts'
export { formatInstant, parseInstant } from './instant.ts'
export {
  type AttemptDocument,
  fullJobDocument,
  type JobDocument,
  type JobSummary,
  jobDocument,
  jobSummary,
  jobSummaryDocument,
  type LogDocument,
} from './job.ts'
export { type SeriesDocument, seriesDocument, seriesLineSchema } from './series.ts'
export { anyJson, at, count, instantText, jobError, jobId, jobState, tenantOrNull } from './shared.ts'
export { type StatsDocument, statsSchema } from './stats.ts'
export { type StepDocument, stepDocument, stepSchema } from './step.ts'
export { type WhyDocument, whyDocument, whySchema } from './why.ts'
export {
  bulkPlanDocument,
  bulkPlanSchema,
  bulkResultDocument,
  bulkResultSchema,
  redrivePlanDocument,
  redrivePlanSchema,
  redriveResultDocument,
  redriveResultSchema,
} from './bulk.ts'
export { type QueueDocument, queueDocument, queueSchema } from './queue.ts'
export {
  misfireSchema,
  runDocument,
  runSchema,
  type ScheduleDocument,
  type ScheduledRunDocument,
  scheduleDocument,
  scheduleSchema,
  type TickDocument,
  tickDocument,
  tickSchema,
} from './schedule.ts'
export { type TypeDocument, typeDocument, typeSchema } from './type.ts'
export { type WorkerDocument, workerDocument, workerSchema } from './worker.ts'
