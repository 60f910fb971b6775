import { describePostgres } from './describe-postgres.ts'
import { keepsToItsSchema, leavesNothingBehind } from './postgres-mode-cases.ts'

// A name that must be quoted wherever it is said, in a database that compares text by a language's rules.
const mode = { name: 'in another schema', params: { schema: `Job "queue"'s` }, icuLocale: 'en-US' }

describePostgres(mode, store => {
  keepsToItsSchema(store)
  leavesNothingBehind(store)
})
