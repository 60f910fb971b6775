import { describePostgres } from './describe-postgres.ts'
import { hearsByNotification, holdsConnections, leavesNothingBehind } from './postgres-mode-cases.ts'

describePostgres({ name: 'on one connection', params: { connections: '1' } }, store => {
  hearsByNotification(store)
  holdsConnections(store, 1)
  leavesNothingBehind(store)
})
