import { describePostgres } from './describe-postgres.ts'
import {
  completesNothingByHalves,
  forgetsWhatIsGone,
  hearsByNotification,
  leavesNothingBehind,
  servesBesideHandlers,
} from './postgres-mode-cases.ts'

describePostgres({ name: 'pooled', params: {} }, store => {
  hearsByNotification(store)
  completesNothingByHalves(store)
  servesBesideHandlers(store)
  forgetsWhatIsGone(store)
  leavesNothingBehind(store)
})
