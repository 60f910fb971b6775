import { type Asked, type Route, route } from '../border/route.ts'
import { cronDrain, cronDrainByGet, drain, readDrain } from '../contract/drain.ts'
import { defined } from '../defined.ts'
import type { DrainReport } from '../documents/index.ts'
import { Problem } from '../problem.ts'
import { drainState } from '../serverless/drainer.ts'

export const drainRoutes: Route[] = [
  route(readDrain, async ({ millrace }) => ({ status: 200, body: await drainState(millrace) })),
  route(drain, async asked => ({ status: 200, body: await work(asked) })),
  route(cronDrain, async asked => ({ status: 200, body: await work(asked) })),
  route(cronDrainByGet, async asked => {
    // Who asks for the head of a page does not expect that anything happens.
    if (asked.c.req.method === 'HEAD')
      throw new Problem('method-not-allowed', 'It takes GET, POST.', { headers: { allow: 'GET, POST' } })
    return { status: 200, body: await work(asked) }
  }),
]

type Wanted = Pick<Asked<typeof drain>, 'drainer' | 'query' | 'c' | 'stopping' | 'changed'>

async function work({ drainer, query, c, stopping, changed }: Wanted): Promise<DrainReport> {
  if (!drainer)
    throw new Problem(
      'unsupported',
      'This server does not work within requests. Make it with drain: { budgetMs } (millrace start: --drain-budget), or start a worker.',
    )
  const { maxBudgetMs } = drainer.settings
  if (query.budgetMs !== undefined && query.budgetMs > maxBudgetMs) throw tooLong(maxBudgetMs)
  const signal = AbortSignal.any([c.req.raw.signal, stopping])
  const report = await drainer.drain({ ...defined(query), signal })
  // A cron asks every minute of the year; what did nothing changed nothing.
  if (report.processed + report.pruned > 0) changed({ target: 'drain', after: report })
  return report
}

function tooLong(maxBudgetMs: number): Problem {
  const message = `must be a whole number from 1 to ${maxBudgetMs}, which is the most that this server grants`
  return new Problem('invalid-argument', `The query is refused: budgetMs: ${message}.`, {
    faults: [{ path: ['budgetMs'], message }],
  })
}
