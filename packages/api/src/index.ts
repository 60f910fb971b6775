export { type ApiOptions, createApi } from './api.ts'
export { type Application, type ApplicationOptions, openApplication } from './application.ts'
export type {
  AttemptDocument,
  JobDocument,
  JobSummary,
  LogDocument,
} from './documents/index.ts'
export type {
  DemoSummary,
  DemoTable,
  Module,
  ModuleContext,
  ModuleDemo,
  ModuleExample,
  PreparedDemo,
} from './module.ts'
export { type BorderCode, Problem, type ProblemCode, type ProblemDocument, problemKinds } from './problem.ts'
export { createServer, type MillraceServer, type ServerOptions } from './server.ts'
export { StartError } from './start-error.ts'
