export { accessFromEnvironment } from './access/from-environment.ts'
export type { AccessOptions, JwtOptions, RateLimit, RateLimits } from './access/options.ts'
export type { Principal } from './access/principal.ts'
export type { AccessLogEntry } from './border/access-log.ts'
export {
  type SharedApplication,
  sharedApplication,
  type SharedApplicationOptions,
} from './adapters/shared-application.ts'
export { type ApiOptions, createApi } from './api.ts'
export { type Application, type ApplicationOptions, openApplication } from './application.ts'
export type {
  AttemptDocument,
  AuditDocument,
  DeadGroupDocument,
  DrainReport,
  DrainState,
  EventDocument,
  FlowDocument,
  JobDocument,
  JobSummary,
  LogDocument,
  NodeDocument,
  PendingCounts,
  QueueDocument,
  ScheduleDocument,
  ScheduledRunDocument,
  StepDocument,
  TickDocument,
  TypeDocument,
  WhyDocument,
  WorkerDocument,
} from './documents/index.ts'
export type {
  DemoSummary,
  DemoTable,
  Module,
  ModuleContext,
  ModuleDemo,
  ModuleExample,
  ModuleMigrations,
  PreparedDemo,
} from './module.ts'
export { type BorderCode, Problem, type ProblemCode, type ProblemDocument, problemKinds } from './problem.ts'
export { createServer, type MillraceServer, type ServerOptions } from './server.ts'
export type { DrainSettings } from './serverless/drain-settings.ts'
export {
  createDrainer,
  type Drainable,
  type Drainer,
  type DrainRequest,
} from './serverless/drainer.ts'
export { StartError } from './start-error.ts'
export { operations } from './contract/index.ts'
export { openApi } from './contract/openapi.ts'
export type { JsonSchema, OpenApiDocument, OpenApiOperation } from './contract/openapi-document.ts'
export type { Operation } from './contract/operation.ts'
export { type Permission, permissions, type Role, roles } from './contract/permission.ts'
export { version } from './version.ts'
