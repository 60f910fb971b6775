import { type FlowNodeRecord, type FlowRecord, type FlowState, flowStates } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { at, count, instantText, jobId, jobState, tenantOrNull } from './shared.ts'

export const flowState = z.enum(flowStates as readonly [FlowState, ...FlowState[]])

export const flowSchema = z
  .object({
    id: jobId,
    name: z.string(),
    tenant: z.string().nullable().meta({ description: 'Null when the flow belongs to nobody in particular' }),
    state: flowState.meta({
      description: 'running until every job has ended; then the worst of what happened',
    }),
    total: count,
    completed: count,
    cancelled: count,
    dead: count,
    createdAt: instantText,
    finishedAt: instantText.nullable(),
    cancelReason: z.string().nullable(),
  })
  .meta({ id: 'Flow' })
export type FlowDocument = z.infer<typeof flowSchema>

export const nodeSchema = z
  .object({
    id: jobId,
    name: z.string(),
    type: z.string(),
    queue: z.string(),
    state: jobState,
    onFailure: z.string(),
    skipped: z.boolean(),
    attempt: count,
    waits: count.meta({ description: 'How many of those that it waits for have not ended' }),
    after: z.array(z.string()),
    createdAt: instantText,
    startedAt: instantText.nullable(),
    finishedAt: instantText.nullable(),
  })
  .meta({ id: 'FlowNode', description: 'A job in its flow' })
export type NodeDocument = z.infer<typeof nodeSchema>

export function flowDocument({ tenant, createdAt, finishedAt, ...rest }: FlowRecord): FlowDocument {
  return {
    ...rest,
    tenant: tenantOrNull(tenant),
    createdAt: formatInstant(createdAt),
    finishedAt: at(finishedAt),
  }
}

export function nodeDocument({ createdAt, startedAt, finishedAt, ...rest }: FlowNodeRecord): NodeDocument {
  return {
    ...rest,
    createdAt: formatInstant(createdAt),
    startedAt: at(startedAt),
    finishedAt: at(finishedAt),
  }
}
