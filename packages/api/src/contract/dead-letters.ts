import { z } from 'zod'
import { count, deadGroupSchema, redrivePlanSchema, redriveResultSchema } from '../documents/index.ts'
import { limit, name, notAnObject, several, tenant, text, wholeNumber } from './fields.ts'
import { operation } from './operation.ts'

const tag = 'dead letters'
const path = '/api/v1/dead-letters/{fingerprint}'
const params = z.strictObject({
  fingerprint: text(128).meta({ description: 'Of the error, as the list shows it' }),
})

const deadGroups = z
  .object({
    groups: z.array(deadGroupSchema),
    looked: count.meta({ description: 'How many dead jobs were looked at, the newest first' }),
    complete: z.boolean().meta({ description: 'False: there are older ones' }),
  })
  .meta({ id: 'DeadGroups' })

export const listDeadLetters = operation({
  id: 'listDeadLetters',
  method: 'get',
  path: '/api/v1/dead-letters',
  summary: 'Group dead jobs by what they died of, the largest group first.',
  tag,
  permission: 'jobs:read',
  query: z.strictObject({ type: several(name), queue: several(name), tenant: tenant.optional(), limit }),
  replies: {
    200: {
      description: 'The groups, and how many dead jobs were looked at',
      schema: deadGroups,
    },
  },
})

export const getDeadLetter = operation({
  id: 'getDeadLetter',
  method: 'get',
  path,
  summary: 'Read the dead jobs of one cause: a group for each type that died of it.',
  tag,
  permission: 'jobs:read',
  params,
  query: z.strictObject({ type: name.optional(), queue: name.optional(), tenant: tenant.optional() }),
  replies: { 200: { description: 'Its groups, the largest first', schema: deadGroups } },
  problems: ['not-found'],
})

export const redriveDeadLetter = operation({
  id: 'redriveDeadLetter',
  method: 'post',
  path: `${path}/redrive`,
  summary: 'Run the dead jobs of one cause again: a few first, then ever more.',
  description:
    'Each batch goes when all of the one before have finished; it stops when more than `maxFailures` died again. Without `dryRun: false` it only tells the batches. A run works for some twenty seconds; when `complete` is false, what was redriven goes on, and the same request takes those that are still dead.',
  tag,
  permission: 'jobs:bulk',
  params,
  body: z
    .strictObject(
      {
        type: name.optional(),
        queue: name.optional(),
        tenant: tenant.optional(),
        canary: wholeNumber(1, 5_000).optional().meta({ description: 'How many go first. Default 5' }),
        factor: z
          .number('must be a number from 1 to 1000')
          .min(1, 'must be a number from 1 to 1000')
          .max(1_000, 'must be a number from 1 to 1000')
          .optional()
          .meta({ description: 'How many times larger each further batch is. Default 4' }),
        maxFailures: wholeNumber(0, 1_000_000_000)
          .optional()
          .meta({ description: 'How many may die again before it stops. Default 0' }),
        dryRun: z.boolean().default(true),
      },
      notAnObject,
    )
    .meta({ id: 'RedriveRequest', examples: [{ canary: 5, dryRun: false }] }),
  bodyOptional: true,
  replies: {
    200: {
      description: 'The plan, or what was done',
      schema: z.discriminatedUnion('dryRun', [redrivePlanSchema, redriveResultSchema]),
    },
  },
  problems: ['not-found'],
})
