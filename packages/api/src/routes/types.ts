import { type Route, route } from '../border/route.ts'
import { getType, listTypes } from '../contract/types.ts'
import { typeDocument } from '../documents/index.ts'
import { Problem } from '../problem.ts'

export const typeRoutes: Route[] = [
  route(listTypes, ({ millrace, query: { schemas } }) => {
    const known = millrace.registry.all().toSorted((a, b) => (a.type < b.type ? -1 : 1))
    return { status: 200, body: { types: known.map(job => typeDocument(job, schemas)) } }
  }),

  route(getType, ({ millrace, params }) => {
    const job = millrace.registry.find(params.type)
    if (job) return { status: 200, body: typeDocument(job, true) }
    throw new Problem('not-found', `No job type ${params.type} is registered in this server.`)
  }),
]
