import type { BulkAction } from 'millrace'
import { permit } from '../border/permit.ts'
import { type Route, route } from '../border/route.ts'
import { bulkJobs } from '../contract/bulk.ts'
import { defined } from '../defined.ts'
import { bulkPlanDocument, bulkResultDocument } from '../documents/index.ts'
import { Problem } from '../problem.ts'
import { deadline } from './deadline.ts'
import { jobFilter } from './job-filter.ts'

export const bulkRoutes: Route[] = [
  route(bulkJobs, async ({ millrace, principal, body, budgetMs, stopping, c, changed }) => {
    const { filter: said, everything = false, dryRun } = body
    const action = defined(body.action) as BulkAction
    if (action.do === 'remove') permit(principal, 'jobs:remove', 'Delete jobs.')
    // Whoever belongs to a tenant has a filter that names it, but has said nothing yet.
    if (Object.keys(defined(said)).length === 0 && !everything)
      throw new Problem(
        'invalid-argument',
        `The filter names nothing, so ${action.do} would take every job; name something, or say everything: true.`,
        { faults: [{ path: ['filter'], message: 'names nothing' }] },
      )
    const filter = jobFilter(principal, said)
    if (dryRun) {
      const plan = await millrace.bulk.plan(action, filter, { everything })
      return { status: 200, body: bulkPlanDocument(plan) }
    }
    const signal = deadline({ budgetMs, stopping, c })
    const result = bulkResultDocument(await millrace.bulk.run(action, filter, { everything, signal }))
    const { failures: _, ...counts } = result
    changed({ target: `${result.changed} jobs`, after: { action, filter: said, ...counts } })
    return { status: 200, body: result }
  }),
]
