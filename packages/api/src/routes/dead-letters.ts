import { type Route, route } from '../border/route.ts'
import { getDeadLetter, listDeadLetters, redriveDeadLetter } from '../contract/dead-letters.ts'
import { defined } from '../defined.ts'
import { deadGroupDocument, redrivePlanDocument, redriveResultDocument } from '../documents/index.ts'
import { Problem } from '../problem.ts'
import { deadline } from './deadline.ts'
import { tenantFor } from './ownership.ts'

export const deadLetterRoutes: Route[] = [
  route(listDeadLetters, async ({ millrace, principal, query }) => {
    const { type, queue, tenant, limit } = query
    const options = {
      limit,
      ...defined({ types: type, queues: queue, tenant: tenantFor(principal, tenant) }),
    }
    const { groups, looked, complete } = await millrace.deadLetters.groups(options)
    return { status: 200, body: { groups: groups.map(deadGroupDocument), looked, complete } }
  }),

  route(getDeadLetter, async ({ millrace, principal, params: { fingerprint }, query }) => {
    const { type, queue, tenant } = query
    const options = defined({
      types: type === undefined ? undefined : [type],
      queues: queue === undefined ? undefined : [queue],
      tenant: tenantFor(principal, tenant),
    })
    const { groups, looked, complete } = await millrace.deadLetters.groups({ fingerprint, ...options })
    if (groups.length === 0) throw noneDead(fingerprint)
    return { status: 200, body: { groups: groups.map(deadGroupDocument), looked, complete } }
  }),

  route(redriveDeadLetter, async asked => {
    const { millrace, principal, params, body, budgetMs, stopping, c, changed } = asked
    const { dryRun, type, queue, tenant, ...ramp } = body
    const { fingerprint } = params
    const cause = { fingerprint, ...defined({ type, queue, tenant: tenantFor(principal, tenant) }) }
    if (dryRun) {
      const plan = await millrace.deadLetters.plan(cause, defined(ramp))
      if (plan.count === 0) throw noneDead(fingerprint)
      return { status: 200, body: redrivePlanDocument(plan) }
    }
    const signal = deadline({ budgetMs, stopping, c })
    const result = redriveResultDocument(
      await millrace.deadLetters.redrive(cause, { ...defined(ramp), signal }),
    )
    changed({ target: `dead letters ${fingerprint}`, after: { ...cause, ...result } })
    return { status: 200, body: result }
  }),
]

function noneDead(fingerprint: string): Problem {
  return new Problem('not-found', `No dead job like that has the fingerprint ${fingerprint}.`)
}
