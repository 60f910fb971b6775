import { operation } from './operation.ts'

export const readMetrics = operation({
  id: 'readMetrics',
  method: 'get',
  path: '/metrics',
  summary: 'Read metrics in the text format of Prometheus.',
  description:
    'Jobs, schedules and workers are those of the whole store; requests, attempts and the process are those of this server. When the store does not answer, `millrace_store_up` is 0 and what it would tell is left out.',
  tag: 'statistics',
  permission: 'metrics:read',
  replies: { 200: { description: 'The metrics', contentType: 'text/plain; version=0.0.4; charset=utf-8' } },
})
