/** The OpenAPI document as tests read it. It is all that they know of the contract's schemas. */

import { operations, openApi, version } from '@millrace/api'

export type JsonSchema = Record<string, unknown>

export interface ParameterDocument {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  style?: string
  schema: JsonSchema
}

export interface ReplyDocument {
  $ref?: string
  description?: string
  content?: Record<string, { schema: JsonSchema }>
}

export interface OperationDocument {
  operationId: string
  summary: string
  tags: string[]
  security?: Record<string, string[]>[]
  parameters: ParameterDocument[]
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> }
  responses: Record<string, ReplyDocument>
}

export interface ContractDocument {
  openapi: string
  info: { version: string }
  paths: Record<string, Record<string, OperationDocument>>
  components: {
    schemas: Record<string, JsonSchema>
    responses: Record<string, ReplyDocument>
    securitySchemes: Record<string, unknown>
  }
}

/** By way of JSON, as whoever fetches it gets it. */
export const contract = JSON.parse(JSON.stringify(openApi(operations, version))) as ContractDocument

/** What a reference such as `#/components/schemas/Job` leads to, or undefined. */
export function pointedAt(reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let value: unknown = contract
  for (const step of reference.slice(2).split('/')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return value
}
