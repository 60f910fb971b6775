import { z } from 'zod'
import { defineJob } from '../../packages/queue/src/index.ts'

export const operatorToken = 'bench-operator-token'

const payload = z.object({ connectionId: z.string(), url: z.url(), maxPages: z.int().max(10_000) })

/** What is enqueued over HTTP, checked by a schema as an application's would be. */
export const page = defineJob({ type: 'BENCH_PAGE', payload })

/** A filter by type finds one job in ten. */
export const pages = Array.from({ length: 10 }, (_, n) => defineJob({ type: `BENCH_PAGE_${n}`, payload }))

export const samplePayload = {
  connectionId: 'bench-1',
  url: 'https://example.com/a/page?of=the&site=1',
  maxPages: 100,
}
