import { type BullClasses, loadBull, openBull } from './bullmq.ts'
import { sidesOf } from './subject.ts'

async function connect(url: string): Promise<{ classes: BullClasses; connection: object }> {
  const { withBackend, createPostgresBackend } = await loadBull()
  const connection = { connectionString: url, max: 10, migrate: true }
  return { classes: withBackend(createPostgresBackend), connection }
}

export const sides = sidesOf(import.meta.url, openBull(connect, { throughput: 50, latency: 10, default: 10 }))
