import { z } from 'zod'
import { typeSchema } from '../documents/index.ts'
import { name, yesOrNo } from './fields.ts'
import { operation } from './operation.ts'

const tag = 'types'

export const listTypes = operation({
  id: 'listTypes',
  method: 'get',
  path: '/api/v1/types',
  summary: 'List the job types that this server knows, with their policies and schemas.',
  description:
    'A payload schema is told as JSON Schema where the library that it is written with can do so, and is null otherwise.',
  tag,
  permission: 'types:read',
  query: z.strictObject({
    schemas: yesOrNo
      .default(true)
      .meta({ description: 'false leaves the JSON Schemas out, which can be large' }),
  }),
  replies: {
    200: {
      description: 'The types, by name',
      schema: z.object({ types: z.array(typeSchema) }).meta({ id: 'JobTypes' }),
    },
  },
  conditional: true,
})

export const getType = operation({
  id: 'getType',
  method: 'get',
  path: '/api/v1/types/{type}',
  summary: 'Read a job type, by its name or an alias.',
  tag,
  permission: 'types:read',
  params: z.strictObject({ type: name }),
  replies: { 200: { description: 'The type', schema: typeSchema } },
  problems: ['not-found'],
  conditional: true,
})
