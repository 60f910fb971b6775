import type { Job, WorkerRecord } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { at, count, instantText, jobId } from './shared.ts'

export const workerSchema = z
  .object({
    worker: z.string(),
    label: z.string().meta({ description: 'Its host and process' }),
    startedAt: instantText,
    beatAt: instantText.meta({ description: 'When it was last heard of' }),
    expiresAt: instantText.meta({
      description: 'When its jobs are given to others, unless it is heard of before',
    }),
    lanes: z
      .array(z.object({ queue: z.string(), types: z.array(z.string()) }))
      .nullable()
      .meta({ description: 'What it claims; null when it has not said' }),
    running: z.array(
      z.object({
        id: jobId,
        type: z.string(),
        queue: z.string(),
        attempt: count,
        startedAt: instantText.nullable(),
      }),
    ),
  })
  .meta({ id: 'Worker', description: 'A worker whose lease holds, and what it runs' })
export type WorkerDocument = z.infer<typeof workerSchema>

export function workerDocument(record: WorkerRecord, running: readonly Job[]): WorkerDocument {
  const { startedAt, beatAt, expiresAt, ...rest } = record
  return {
    ...rest,
    startedAt: formatInstant(startedAt),
    beatAt: formatInstant(beatAt),
    expiresAt: formatInstant(expiresAt),
    running: running.map(({ id, type, queue, attempt, startedAt }) => ({
      id,
      type,
      queue,
      attempt,
      startedAt: at(startedAt),
    })),
  }
}
