import { type Route, route } from '../border/route.ts'
import { cancelFlow, flowNodes, getFlow, listFlows, retryFlow } from '../contract/flows.ts'
import { defined } from '../defined.ts'
import { flowDocument, nodeDocument } from '../documents/index.ts'
import { Problem } from '../problem.ts'
import { ownFlow, tenantFor } from './ownership.ts'

export const flowRoutes: Route[] = [
  route(listFlows, async ({ millrace, principal, query }) => {
    const { state, name, tenant, limit, cursor } = query
    const filter = defined({ states: state, name, tenant: tenantFor(principal, tenant) })
    const page = await millrace.flows.list(filter, { limit, ...defined({ cursor }) })
    return { status: 200, body: { flows: page.flows.map(flowDocument), cursor: page.cursor } }
  }),

  route(getFlow, async ({ millrace, principal, params }) => ({
    status: 200,
    body: flowDocument(await ownFlow(millrace, principal, params.id)),
  })),

  route(flowNodes, async ({ millrace, principal, params, query }) => {
    const { id } = await ownFlow(millrace, principal, params.id)
    const { limit, cursor } = query
    const page = await millrace.engine.flowNodes(id, { limit, ...defined({ cursor }) })
    return { status: 200, body: { nodes: page.nodes.map(nodeDocument), cursor: page.cursor } }
  }),

  route(cancelFlow, async ({ millrace, principal, params, body, changed }) => {
    const { id, state } = await ownFlow(millrace, principal, params.id)
    const outcome = await millrace.flows.cancel(id, defined(body))
    if (outcome === 'not-found') throw gone(id)
    changed({ target: `flow ${id}`, before: { state }, after: { outcome, ...body } })
    return { status: outcome === 'requested' ? 202 : 200, body: { id, outcome } }
  }),

  route(retryFlow, async ({ millrace, principal, params, changed }) => {
    const { id, state } = await ownFlow(millrace, principal, params.id)
    const outcome = await millrace.flows.retry(id)
    if (outcome === 'not-found') throw gone(id)
    if (outcome === 'not-finished')
      throw new Problem('conflict', `Flow ${id} has no job that died or was cancelled.`)
    changed({ target: `flow ${id}`, before: { state }, after: { outcome } })
    return { status: 200, body: { id, outcome } }
  }),
]

function gone(id: string): Problem {
  return new Problem('not-found', `There is no flow ${id} any more.`)
}
