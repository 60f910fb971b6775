// Made of the HTTP contract by `npm run client`. Do not edit.

import type { Calls } from './calls.ts'

/** How an operation is sent. */
export interface Operation {
  readonly method: string
  /** With `{name}` for each parameter. */
  readonly path: string
  /** The statuses of its answers; all others are refusals. */
  readonly replies: readonly number[]
  /** The header of each argument that is sent as one. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of a page of a list: the member that holds the items. */
  readonly items?: string
  /** It takes as long as it is asked to. */
  readonly lasting?: true
  /** It does something although it is a GET. */
  readonly changes?: true
}

export const operations: Readonly<Record<keyof Calls, Operation>> = {
  bulkJobs: {
    method: 'POST',
    path: '/api/v1/jobs/bulk',
    replies: [200],
  },
  cancelFlow: {
    method: 'POST',
    path: '/api/v1/flows/{id}/cancel',
    replies: [200, 202],
  },
  cancelJob: {
    method: 'POST',
    path: '/api/v1/jobs/{id}/cancel',
    replies: [200, 202],
  },
  cronDrain: {
    method: 'POST',
    path: '/api/cron/drain',
    replies: [200],
    lasting: true,
  },
  cronDrainByGet: {
    method: 'GET',
    path: '/api/cron/drain',
    replies: [200],
    lasting: true,
    changes: true,
  },
  drain: {
    method: 'POST',
    path: '/api/v1/drain',
    replies: [200],
    lasting: true,
  },
  editJob: {
    method: 'PATCH',
    path: '/api/v1/jobs/{id}',
    replies: [200],
  },
  editQueue: {
    method: 'PATCH',
    path: '/api/v1/queues/{queue}',
    replies: [200],
  },
  enqueueJob: {
    method: 'POST',
    path: '/api/v1/jobs',
    replies: [200, 201],
    headers: { idempotencyKey: 'Idempotency-Key' },
  },
  enqueueJobs: {
    method: 'POST',
    path: '/api/v1/jobs/batch',
    replies: [200],
  },
  flowNodes: {
    method: 'GET',
    path: '/api/v1/flows/{id}/nodes',
    replies: [200],
    items: 'nodes',
  },
  getDeadLetter: {
    method: 'GET',
    path: '/api/v1/dead-letters/{fingerprint}',
    replies: [200],
  },
  getFlow: {
    method: 'GET',
    path: '/api/v1/flows/{id}',
    replies: [200],
  },
  getJob: {
    method: 'GET',
    path: '/api/v1/jobs/{id}',
    replies: [200],
  },
  getQueue: {
    method: 'GET',
    path: '/api/v1/queues/{queue}',
    replies: [200],
  },
  getSchedule: {
    method: 'GET',
    path: '/api/v1/schedules/{name}',
    replies: [200],
  },
  getType: {
    method: 'GET',
    path: '/api/v1/types/{type}',
    replies: [200],
  },
  jobResult: {
    method: 'GET',
    path: '/api/v1/jobs/{id}/result',
    replies: [200, 202],
    lasting: true,
  },
  jobSignals: {
    method: 'GET',
    path: '/api/v1/jobs/{id}/signals',
    replies: [200],
  },
  jobSteps: {
    method: 'GET',
    path: '/api/v1/jobs/{id}/steps',
    replies: [200],
  },
  listAudit: {
    method: 'GET',
    path: '/api/v1/audit',
    replies: [200],
    items: 'entries',
  },
  listDeadLetters: {
    method: 'GET',
    path: '/api/v1/dead-letters',
    replies: [200],
  },
  listEvents: {
    method: 'GET',
    path: '/api/v1/events/recent',
    replies: [200],
  },
  listFlows: {
    method: 'GET',
    path: '/api/v1/flows',
    replies: [200],
    items: 'flows',
  },
  listJobs: {
    method: 'GET',
    path: '/api/v1/jobs',
    replies: [200],
    items: 'jobs',
  },
  listQueues: {
    method: 'GET',
    path: '/api/v1/queues',
    replies: [200],
  },
  listSchedules: {
    method: 'GET',
    path: '/api/v1/schedules',
    replies: [200],
  },
  listTypes: {
    method: 'GET',
    path: '/api/v1/types',
    replies: [200],
  },
  listWorkers: {
    method: 'GET',
    path: '/api/v1/workers',
    replies: [200],
  },
  login: {
    method: 'POST',
    path: '/api/v1/session',
    replies: [201],
  },
  logout: {
    method: 'DELETE',
    path: '/api/v1/session',
    replies: [204],
  },
  pauseQueue: {
    method: 'POST',
    path: '/api/v1/queues/{queue}/pause',
    replies: [200],
  },
  pauseSchedule: {
    method: 'POST',
    path: '/api/v1/schedules/{name}/pause',
    replies: [200],
  },
  previewRule: {
    method: 'POST',
    path: '/api/v1/schedules/preview',
    replies: [200],
  },
  putSchedule: {
    method: 'PUT',
    path: '/api/v1/schedules/{name}',
    replies: [200, 201],
  },
  readDrain: {
    method: 'GET',
    path: '/api/v1/drain',
    replies: [200],
  },
  readHealth: {
    method: 'GET',
    path: '/health',
    replies: [200, 503],
  },
  readMetrics: {
    method: 'GET',
    path: '/metrics',
    replies: [200],
  },
  readReadiness: {
    method: 'GET',
    path: '/ready',
    replies: [200, 503],
  },
  readSeries: {
    method: 'GET',
    path: '/api/v1/stats/series',
    replies: [200],
  },
  readStats: {
    method: 'GET',
    path: '/api/v1/stats',
    replies: [200],
  },
  redriveDeadLetter: {
    method: 'POST',
    path: '/api/v1/dead-letters/{fingerprint}/redrive',
    replies: [200],
  },
  removeJob: {
    method: 'DELETE',
    path: '/api/v1/jobs/{id}',
    replies: [204],
  },
  removeSchedule: {
    method: 'DELETE',
    path: '/api/v1/schedules/{name}',
    replies: [204],
  },
  resumeQueue: {
    method: 'POST',
    path: '/api/v1/queues/{queue}/resume',
    replies: [200],
  },
  resumeSchedule: {
    method: 'POST',
    path: '/api/v1/schedules/{name}/resume',
    replies: [200],
  },
  retryFlow: {
    method: 'POST',
    path: '/api/v1/flows/{id}/retry',
    replies: [200],
  },
  retryJob: {
    method: 'POST',
    path: '/api/v1/jobs/{id}/retry',
    replies: [200, 201],
  },
  runSchedule: {
    method: 'POST',
    path: '/api/v1/schedules/{name}/run',
    replies: [200, 201],
    headers: { idempotencyKey: 'Idempotency-Key' },
  },
  scheduleRuns: {
    method: 'GET',
    path: '/api/v1/schedules/{name}/preview',
    replies: [200],
  },
  scheduleTicks: {
    method: 'GET',
    path: '/api/v1/schedules/{name}/ticks',
    replies: [200],
  },
  searchJobs: {
    method: 'GET',
    path: '/api/v1/jobs/search',
    replies: [200],
    items: 'jobs',
  },
  sendSignal: {
    method: 'POST',
    path: '/api/v1/jobs/{id}/signals',
    replies: [202],
  },
  whoAmI: {
    method: 'GET',
    path: '/api/v1/session',
    replies: [200],
  },
  whyJob: {
    method: 'GET',
    path: '/api/v1/jobs/{id}/why',
    replies: [200],
  },
}
