import { flowStates } from 'millrace'
import { z } from 'zod'
import { flowSchema, jobId, nodeSchema } from '../documents/index.ts'
import { cursor, idParams, limit, name, oneOf, several, tenant } from './fields.ts'
import { cancelBody, cancelOutcome } from './job-actions.ts'
import { operation } from './operation.ts'

const tag = 'flows'
const id = '/api/v1/flows/{id}'

export const listFlows = operation({
  id: 'listFlows',
  method: 'get',
  path: '/api/v1/flows',
  summary: 'List flows, newest first.',
  tag,
  permission: 'jobs:read',
  query: z.strictObject({
    state: several(oneOf(flowStates)),
    name: name.optional(),
    tenant: tenant.optional(),
    limit,
    cursor,
  }),
  replies: {
    200: {
      description: 'A page',
      schema: z
        .object({ flows: z.array(flowSchema), cursor: z.string().nullable() })
        .meta({ id: 'FlowPage' }),
    },
  },
  conditional: true,
})

export const getFlow = operation({
  id: 'getFlow',
  method: 'get',
  path: id,
  summary: 'Read a flow.',
  tag,
  permission: 'jobs:read',
  params: idParams,
  replies: { 200: { description: 'The flow', schema: flowSchema } },
  problems: ['not-found'],
  conditional: true,
})

export const flowNodes = operation({
  id: 'flowNodes',
  method: 'get',
  path: `${id}/nodes`,
  summary: 'List the jobs of a flow and what each waits for, in the order in which they were added.',
  tag,
  permission: 'jobs:read',
  params: idParams,
  query: z.strictObject({ limit, cursor }),
  replies: {
    200: {
      description: 'A page',
      schema: z
        .object({ nodes: z.array(nodeSchema), cursor: z.string().nullable() })
        .meta({ id: 'FlowNodePage' }),
    },
  },
  problems: ['not-found'],
  conditional: true,
})

export const cancelFlow = operation({
  id: 'cancelFlow',
  method: 'post',
  path: `${id}/cancel`,
  summary: 'Cancel all jobs of a flow that have not finished.',
  tag,
  permission: 'jobs:change',
  params: idParams,
  body: cancelBody,
  bodyOptional: true,
  replies: {
    200: { description: 'Cancelled, or finished before', schema: cancelOutcome },
    202: { description: 'What runs hears of it within two seconds', schema: cancelOutcome },
  },
  problems: ['not-found'],
})

export const retryFlow = operation({
  id: 'retryFlow',
  method: 'post',
  path: `${id}/retry`,
  summary: 'Run the dead and cancelled jobs of a flow again.',
  tag,
  permission: 'jobs:change',
  params: idParams,
  replies: {
    200: {
      description: 'They are queued again',
      schema: z.object({ id: jobId, outcome: z.literal('redriven') }).meta({ id: 'RetryFlowOutcome' }),
    },
  },
  problems: ['not-found', 'conflict'],
})
