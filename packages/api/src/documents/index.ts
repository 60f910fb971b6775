export { formatInstant, parseInstant } from './instant.ts'
export {
  type AttemptDocument,
  type JobDocument,
  type JobSummary,
  jobDocument,
  jobSummary,
  type LogDocument,
} from './job.ts'
