import { jobStates } from 'millrace'
import { z } from 'zod'
import {
  anyJson,
  count,
  fullJobDocument,
  instantText,
  jobError,
  jobId,
  jobState,
  jobSummaryDocument,
  stepSchema,
  whySchema,
} from '../documents/index.ts'
import {
  condition,
  cursor,
  digits,
  idParams,
  instant,
  limit,
  name,
  notAnObject,
  oneOf,
  repeated,
  several,
  tenant,
  text,
  wholeNumber,
} from './fields.ts'
import { operation } from './operation.ts'

const tag = 'jobs'
const id = '/api/v1/jobs/{id}'

export const jobFilterQuery = {
  state: several(oneOf(jobStates)),
  type: several(name),
  queue: several(name),
  tenant: tenant.optional(),
  fingerprint: text(128).optional().meta({ description: 'Of the last error' }),
  where: repeated(condition).meta({
    description: 'A search attribute and its value, `site=s1`; all of them, when there are several',
  }),
  from: instant.optional().meta({
    description: 'Bounds the creation of live jobs and the end of finished ones; inclusive',
  }),
  until: instant.optional().meta({ description: 'Exclusive' }),
}

const jobPage = z
  .object({
    jobs: z.array(jobSummaryDocument),
    cursor: z.string().nullable().meta({ description: 'Hand it back for the next page; null on the last' }),
  })
  .meta({ id: 'JobPage' })

export const listJobs = operation({
  id: 'listJobs',
  method: 'get',
  path: '/api/v1/jobs',
  summary: 'List jobs, newest first: live ones by arrival, then finished ones by when they finished.',
  tag,
  permission: 'jobs:read',
  query: z.strictObject({ ...jobFilterQuery, limit, cursor }),
  replies: { 200: { description: 'A page', schema: jobPage } },
  conditional: true,
})

export const searchJobs = operation({
  id: 'searchJobs',
  method: 'get',
  path: '/api/v1/jobs/search',
  summary: 'Look for a text in the payloads and last errors of the newest jobs, whatever its case.',
  description:
    'It reads so many jobs and for so long, and says how far it came; the cursor goes on from there. What must be found among millions, declare as a search attribute and ask for by `where`.',
  tag,
  permission: 'jobs:read',
  query: z.strictObject({
    text: text(200),
    ...jobFilterQuery,
    look: digits(1, 100_000).default(10_000).meta({ description: 'How many jobs to look at' }),
    limit,
    cursor,
  }),
  replies: {
    200: {
      description: 'What was found',
      schema: z
        .object({
          jobs: z.array(jobSummaryDocument),
          looked: count.meta({ description: 'How many jobs were looked at this time' }),
          complete: z.boolean().meta({ description: 'Every job was looked at' }),
          lookedBackTo: instantText.nullable().meta({ description: 'Everything newer has been looked at' }),
          cursor: z.string().nullable(),
        })
        .meta({ id: 'SearchResult' }),
    },
  },
})

export const getJob = operation({
  id: 'getJob',
  method: 'get',
  path: id,
  summary: 'Read a job with its payload, result, attempts and logs.',
  tag,
  permission: 'jobs:read',
  params: idParams,
  replies: { 200: { description: 'The job', schema: fullJobDocument } },
  problems: ['not-found'],
  conditional: true,
})

export const editJob = operation({
  id: 'editJob',
  method: 'patch',
  path: id,
  summary: 'Change when, how urgently or in which queue a queued job runs.',
  tag,
  permission: 'jobs:change',
  params: idParams,
  body: z
    .strictObject(
      { runAt: instant.optional(), priority: wholeNumber(1, 10).optional(), queue: name.optional() },
      notAnObject,
    )
    .refine(body => Object.values(body).some(value => value !== undefined), 'changes nothing')
    .meta({ id: 'EditJobRequest' }),
  replies: { 200: { description: 'The job after it', schema: jobSummaryDocument } },
  problems: ['not-found', 'conflict'],
})

export const removeJob = operation({
  id: 'removeJob',
  method: 'delete',
  path: id,
  summary: 'Delete a job that does not run, with its history.',
  tag,
  permission: 'jobs:remove',
  params: idParams,
  replies: { 204: { description: 'Deleted' } },
  problems: ['not-found', 'conflict'],
})

export const whyJob = operation({
  id: 'whyJob',
  method: 'get',
  path: `${id}/why`,
  summary: 'Say why a job is not running.',
  tag,
  permission: 'jobs:read',
  params: idParams,
  replies: { 200: { description: 'The cause, with a sentence for people', schema: whySchema } },
  problems: ['not-found'],
})

export const jobSteps = operation({
  id: 'jobSteps',
  method: 'get',
  path: `${id}/steps`,
  summary: "Read the steps of a job's handler, in the order in which it came to them.",
  tag,
  permission: 'jobs:read',
  params: idParams,
  replies: {
    200: { description: 'The steps', schema: z.object({ steps: z.array(stepSchema) }).meta({ id: 'Steps' }) },
  },
  problems: ['not-found'],
  conditional: true,
})

export const jobResult = operation({
  id: 'jobResult',
  method: 'get',
  path: `${id}/result`,
  summary: 'Wait for a job to finish, and read its result.',
  description: 'A long poll: it answers as soon as the job has finished, or with 202 when the time is up.',
  tag,
  permission: 'jobs:read',
  params: idParams,
  query: z.strictObject({
    waitMs: digits(0, 60_000).default(0).meta({ description: 'How long to wait; at most a minute' }),
  }),
  replies: {
    200: {
      description: 'It has finished',
      schema: z
        .object({
          id: jobId,
          state: z.enum(['completed', 'cancelled', 'dead']),
          result: anyJson,
          error: jobError.nullable().meta({ description: 'Of a dead job' }),
          cancelReason: z.string().nullable(),
          finishedAt: instantText.nullable(),
        })
        .meta({ id: 'JobResult' }),
    },
    202: {
      description: 'It has not finished yet',
      schema: z.object({ id: jobId, state: jobState }).meta({ id: 'JobUnfinished' }),
    },
  },
  problems: ['not-found'],
  lasting: true,
})

export const jobSignals = operation({
  id: 'jobSignals',
  method: 'get',
  path: `${id}/signals`,
  summary: 'List the signals that a job has not taken yet, the oldest first.',
  tag,
  permission: 'jobs:read',
  params: idParams,
  replies: {
    200: {
      description: 'The signals',
      schema: z
        .object({ signals: z.array(z.object({ name: z.string(), payload: anyJson, sentAt: instantText })) })
        .meta({ id: 'Signals' }),
    },
  },
  problems: ['not-found'],
})
