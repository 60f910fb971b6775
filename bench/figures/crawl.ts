import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openApplication } from '../../packages/api/src/index.ts'
import { seology } from '../../apps/seology/src/main.ts'
import { type Bench, type Figure, type Result, result, type SideInput, type Sides } from '../harness.ts'

const site = fileURLToPath(new URL('../crawl-site.ts', import.meta.url))

export const crawlFetch: Figure = {
  name: 'crawl-fetch',
  about: 'the whole CRAWL_SITE job by fetch: pages, checks and links of a local site',
  measure: bench =>
    measureCrawl(bench, { name: 'crawl-fetch', side: 'fetch', pages: bench.pick(400, 1_000) }),
}

export const crawlBrowser: Figure = {
  name: 'crawl-browser',
  about: 'the same by a headless Chromium',
  measure: bench =>
    measureCrawl(bench, { name: 'crawl-browser', side: 'browser', pages: bench.pick(25, 100) }),
}

async function measureCrawl(
  bench: Bench,
  of: { name: string; side: string; pages: number },
): Promise<Result[]> {
  const found = await bench.rounds(of.name, bench.pick(1, 3), {
    ours: () =>
      bench.withFolder(async folder => {
        const { rate } = await bench.side(import.meta.url, of.side, { folder, count: of.pages })
        return rate ?? Number.NaN
      }),
  })
  return [result(of.name, 'pages/s', found, null, `${of.pages} pages, from enqueue to result`)]
}

async function crawl({ folder, count }: SideInput, render: 'fetch' | 'browser'): Promise<{ rate: number }> {
  process.env.CRAWL_ALLOW_PRIVATE = '1'
  const server = fork(site, [String(count)])
  const port = await new Promise<unknown>(resolve => server.once('message', resolve))
  const app = await openApplication({ url: `file:${folder}/crawl.db`, modules: [seology()] })
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
