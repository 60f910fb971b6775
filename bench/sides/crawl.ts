import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { seology } from '../../apps/seology/src/main.ts'
import { openApplication } from '../../packages/api/src/index.ts'
import type { SideInput, Sides } from '../harness.ts'

const site = fileURLToPath(new URL('../crawl-site.ts', import.meta.url))

async function crawl({ url, count }: SideInput, render: 'fetch' | 'browser'): Promise<{ rate: number }> {
  process.env.CRAWL_ALLOW_PRIVATE = '1'
  const server = fork(site, [String(count)])
  const port = await new Promise<unknown>(resolve => server.once('message', resolve))
  const app = await openApplication({ url, modules: [seology()] })
  await app.worker?.start()
  const startedAt = performance.now()
  const { id } = await app.millrace.enqueueByType('CRAWL_SITE', {
    connectionId: 'bench',
    url: `http://127.0.0.1:${port}/`,
    render,
    maxPages: count,
    maxDepth: 20,
  })
  const { pagesAnalyzed } = (await app.millrace.result(id)) as { pagesAnalyzed: number }
  const seconds = (performance.now() - startedAt) / 1_000
  await app.close()
  server.kill()
  if (pagesAnalyzed < count * 0.95) throw new Error(`only ${pagesAnalyzed} of ${count} pages were crawled`)
  return { rate: pagesAnalyzed / seconds }
}

export const sides: Sides = {
  fetch: input => crawl(input, 'fetch'),
  browser: input => crawl(input, 'browser'),
}
