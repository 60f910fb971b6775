import type { Bound } from './result.ts'

const graphile = 'graphile-worker'

/** What the engine on PostgreSQL has to reach, and what it is meant to. */
export const postgresBounds: Bound[] = [
  { figure: 'process-100k', peer: graphile, must: ['ratio', '≥', 1.5], goal: ['ratio', '≥', 2] },
  { figure: 'process-300k', peer: graphile, must: ['ratio', '≥', 1.5], goal: ['ratio', '≥', 2.2] },
  { figure: 'enqueue-bulk', peer: graphile, must: ['ratio', '≥', 1.6], goal: ['ratio', '≥', 2.5] },
  // Against the best of them, so against each.
  { figure: 'enqueue-100-awaits', must: ['ratio', '≥', 20], goal: ['ratio', '≥', 50] },
  { figure: 'latency-50-per-second-p50', must: ['ratio', '≤', 1], goal: ['ours', '≤', 1.6] },
  { figure: 'latency-50-per-second-p99', must: ['ratio', '≤', 1], goal: ['ours', '≤', 4.9] },
  { figure: 'pinned-snapshot', must: ['ours', '≥', 0.9], goal: ['ours', '≥', 0.95] },
  { figure: 'pinned-snapshot-p99', must: ['ours', '≤', 10] },
  { figure: 'pinned-snapshot-cpu', must: ['ours', '≤', 15] },
  { figure: 'pinned-snapshot-writer', must: ['ours', '≥', 0.9], goal: ['ours', '≥', 0.95] },
  { figure: 'pinned-snapshot-writer-p99', must: ['ours', '≤', 10] },
  { figure: 'pinned-snapshot-writer-cpu', must: ['ours', '≤', 15] },
  { figure: 'backlog-1m', must: ['ratio', '≥', 0.9], goal: ['ratio', '≥', 0.95] },
  { figure: 'history-10m', must: ['ratio', '≥', 0.9], goal: ['ratio', '≥', 0.95] },
  { figure: 'stats-10m', must: ['ours', '≤', 10] },
  { figure: 'stats-10m-list', must: ['ours', '≤', 10] },
  { figure: 'two-processes', must: ['ratio', '≥', 1] },
  { figure: 'idle-queries', must: ['ours', '≤', 1] },
  // What can't be told from the noise.
  { figure: 'idle-cpu', must: ['ours', '≤', 1] },
]

/** What flows and steps have to reach, by engine. */
export const flowBounds: Record<'sqlite' | 'postgres', Bound[]> = {
  sqlite: [
    { figure: 'flow-fan', must: ['ratio', '≥', 0.4] },
    { figure: 'steps', must: ['ours', '≥', 10_000] },
  ],
  postgres: [
    { figure: 'flow-fan', must: ['ratio', '≥', 0.4] },
    { figure: 'steps', must: ['ours', '≥', 3_000] },
  ],
}

/** What the HTTP border has to reach, by engine. */
export const httpBounds: Record<'sqlite' | 'postgres', Bound[]> = {
  sqlite: [{ figure: 'http-enqueue', must: ['ours', '≥', 8_000] }, ...httpOnEither()],
  postgres: [{ figure: 'http-enqueue', must: ['ours', '≥', 4_000] }, ...httpOnEither()],
}

function httpOnEither(): Bound[] {
  return [
    { figure: 'http-enqueue-p99', must: ['ours', '≤', 40] },
    { figure: 'http-list-1m-p99', must: ['ours', '≤', 15] },
    { figure: 'http-sse-500-memory', must: ['ours', '≤', 250] },
  ]
}
