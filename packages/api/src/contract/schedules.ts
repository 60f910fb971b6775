import { z } from 'zod'
import { misfireSchema, runSchema, scheduleSchema, tickSchema } from '../documents/index.ts'
import {
  digits,
  duration,
  idempotencyKey,
  instant,
  name,
  notAnObject,
  oneOf,
  payload,
  tenant,
  text,
  wholeNumber,
} from './fields.ts'
import { enqueued } from './enqueue.ts'
import { operation } from './operation.ts'

const tag = 'schedules'
const path = '/api/v1/schedules/{name}'
const params = z.strictObject({ name })
const found = { 200: { description: 'The schedule', schema: scheduleSchema } }

const rule = {
  cron: text(500).optional().meta({ description: 'Five or six fields. This or every' }),
  timeZone: text(100).optional().meta({ description: 'IANA name for cron. Default UTC' }),
  every: duration.optional().meta({ description: "Elapsed time: milliseconds, or text like '1h30m'" }),
}
interface RuleBody {
  cron?: unknown
  timeZone?: unknown
  every?: unknown
}
const oneRule = ({ cron, every }: RuleBody): boolean => (cron === undefined) !== (every === undefined)
const oneRuleFault = { path: ['cron'], message: 'either cron or every is needed, and not both' }
const zoneOfCron = ({ cron, timeZone }: RuleBody): boolean => timeZone === undefined || cron !== undefined
const zoneOfCronFault = { path: ['timeZone'], message: 'belongs to cron: every counts elapsed time' }

const runs = z.object({ runs: z.array(runSchema) }).meta({ id: 'ScheduledRuns' })
const runCount = digits(1, 100).default(5)

export const listSchedules = operation({
  id: 'listSchedules',
  method: 'get',
  path: '/api/v1/schedules',
  summary: 'List schedules, by name.',
  tag,
  permission: 'schedules:read',
  replies: {
    200: {
      description: 'The schedules',
      schema: z.object({ schedules: z.array(scheduleSchema) }).meta({ id: 'Schedules' }),
    },
  },
  conditional: true,
})

export const getSchedule = operation({
  id: 'getSchedule',
  method: 'get',
  path,
  summary: 'Read a schedule.',
  tag,
  permission: 'schedules:read',
  params,
  replies: found,
  problems: ['not-found'],
  conditional: true,
})

const putReply = z
  .object({ outcome: z.enum(['created', 'changed', 'unchanged']), schedule: scheduleSchema })
  .meta({ id: 'PutScheduleResult' })

export const putSchedule = operation({
  id: 'putSchedule',
  method: 'put',
  path,
  summary: 'Create a schedule, or change it to match.',
  description:
    'A changed rule starts counting anew; an unchanged one keeps its place. What is left out is as the job type has it.',
  tag,
  permission: 'schedules:change',
  params,
  body: z
    .strictObject(
      {
        type: name,
        payload,
        ...rule,
        misfire: misfireSchema
          .optional()
          .meta({ description: 'What becomes of ticks that nobody was there for. Default fire-once' }),
        overlap: oneOf(['allow', 'skip']).optional().meta({
          description: "skip: no new job while the last tick's job is unfinished. Default allow",
        }),
        queue: name.optional(),
        priority: wholeNumber(1, 10).optional().meta({ description: '1 runs before 10' }),
        maxAttempts: wholeNumber(1, 10_000).optional(),
        tenant: tenant.optional(),
      },
      notAnObject,
    )
    .refine(oneRule, oneRuleFault)
    .refine(zoneOfCron, zoneOfCronFault)
    .meta({
      id: 'PutScheduleRequest',
      examples: [{ type: 'GREET', payload: { name: 'Ada' }, cron: '0 7 * * *', timeZone: 'Europe/Paris' }],
    }),
  replies: {
    200: { description: 'Changed, or as it was', schema: putReply },
    201: { description: 'Created', schema: putReply },
  },
  problems: ['not-found', 'invalid-payload', 'unknown-type', 'payload-too-large'],
})

export const removeSchedule = operation({
  id: 'removeSchedule',
  method: 'delete',
  path,
  summary: 'Delete a schedule with its history. Its jobs stay.',
  tag,
  permission: 'schedules:change',
  params,
  replies: { 204: { description: 'Deleted' } },
  problems: ['not-found'],
})

export const pauseSchedule = operation({
  id: 'pauseSchedule',
  method: 'post',
  path: `${path}/pause`,
  summary: 'Let the ticks of a schedule pass without a job.',
  tag,
  permission: 'schedules:run',
  params,
  replies: found,
  problems: ['not-found'],
})

export const resumeSchedule = operation({
  id: 'resumeSchedule',
  method: 'post',
  path: `${path}/resume`,
  summary: 'Let a schedule go on, with its next tick.',
  tag,
  permission: 'schedules:run',
  params,
  replies: found,
  problems: ['not-found'],
})

export const runSchedule = operation({
  id: 'runSchedule',
  method: 'post',
  path: `${path}/run`,
  summary: 'Enqueue the job of a schedule now, once.',
  description: 'Also while it is paused. It is no tick: the next one comes when it would have come.',
  tag,
  permission: 'schedules:run',
  params,
  headers: idempotencyKey,
  replies: {
    201: { description: 'Enqueued', schema: enqueued },
    200: { description: 'The key was known: nothing new', schema: enqueued },
  },
  problems: ['not-found', 'idempotency-conflict', 'queue-full'],
})

export const scheduleTicks = operation({
  id: 'scheduleTicks',
  method: 'get',
  path: `${path}/ticks`,
  summary: 'Read the latest ticks of a schedule and what became of each, newest first.',
  tag,
  permission: 'schedules:read',
  params,
  query: z.strictObject({ limit: digits(1, 1_000).default(50) }),
  replies: {
    200: { description: 'The ticks', schema: z.object({ ticks: z.array(tickSchema) }).meta({ id: 'Ticks' }) },
  },
  problems: ['not-found'],
})

export const scheduleRuns = operation({
  id: 'scheduleRuns',
  method: 'get',
  path: `${path}/preview`,
  summary: 'Tell when a schedule fires next, with clock changes marked.',
  description: 'The first is the tick that comes next; it can be overdue. None for a disabled schedule.',
  tag,
  permission: 'schedules:read',
  params,
  query: z.strictObject({ count: runCount }),
  replies: { 200: { description: 'The next runs, none later than fifty years', schema: runs } },
  problems: ['not-found'],
})

export const previewRule = operation({
  id: 'previewRule',
  method: 'post',
  path: '/api/v1/schedules/preview',
  summary: 'Tell when a rule would fire, with clock changes marked. Nothing is stored.',
  tag,
  permission: 'schedules:read',
  body: z
    .strictObject(
      {
        ...rule,
        after: instant.optional().meta({ description: 'Default now' }),
        count: wholeNumber(1, 100).default(5),
      },
      notAnObject,
    )
    .refine(oneRule, oneRuleFault)
    .refine(zoneOfCron, zoneOfCronFault)
    .meta({ id: 'PreviewRequest', examples: [{ cron: '30 2 * * *', timeZone: 'Europe/Paris', count: 5 }] }),
  replies: { 200: { description: 'The next runs, none later than fifty years', schema: runs } },
})
