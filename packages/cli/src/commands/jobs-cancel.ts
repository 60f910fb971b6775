import type { CancelResult } from 'millrace'
import type { Context } from '../command.ts'
import { exitCodes } from '../errors.ts'
import { withStore } from '../store.ts'

const said: Record<CancelResult['outcome'], string> = {
  cancelled: 'cancelled',
  requested: 'is asked to stop; it runs, and its handler hears within two seconds',
  'already-finished': 'had finished already',
  'not-found': 'is not here',
}

export async function cancelJobs({
  args,
  flags,
  settings,
  out,
}: Context<{ reason?: string }>): Promise<number> {
  const reason = flags.reason === undefined ? {} : { reason: flags.reason }
  const results = await withStore(settings, millrace => millrace.cancelMany(args, reason))
  out.value({ jobs: results })
  for (const { id, outcome } of results) out.line(`${id}  ${said[outcome]}`)
  return results.every(each => each.outcome !== 'not-found') ? exitCodes.ok : exitCodes.failed
}
