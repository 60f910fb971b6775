import { type Bench, type Figure, runSide } from '../harness.ts'
import { type Result, result } from '../result.ts'

const module = new URL('../sides/crawl.ts', import.meta.url).href

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
      bench.withStore('ours', 0, async store => {
        const { rate } = await runSide(module, of.side, { ...store, count: of.pages })
        return rate ?? Number.NaN
      }),
  })
  const { ours = [] } = found
  return [result(of.name, 'pages/s', { ours }, null, `${of.pages} pages, from enqueue to result`)]
}
