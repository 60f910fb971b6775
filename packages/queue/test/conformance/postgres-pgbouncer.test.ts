import { describePostgres } from './describe-postgres.ts'
import { completesNothingByHalves, hearsByPolling, servesBesideHandlers } from './postgres-mode-cases.ts'

describePostgres({ name: 'behind PgBouncer', params: {}, behindPgBouncer: true }, store => {
  hearsByPolling(store)
  completesNothingByHalves(store)
  servesBesideHandlers(store)
})
