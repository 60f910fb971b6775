import { fork } from 'node:child_process'
import { startSampleSite } from './sample-site/serve.ts'
import { startApp, startCrawl, finished, count, until, browsersUnder } from './test/crawl-site-support.ts'
const site = await startSampleSite()
for (let i = 0; i < 1; i++) {
  const app = await startApp({}, false)
  const id = await startCrawl(app, { url: site.url, render: 'browser', maxPages: 40, maxDepth: 3 })
  const t = performance.now()
  const start = () =>
    fork(new URL('test/crawl-site-child.ts', import.meta.url).pathname, [app.url], {
      execArgv: ['--conditions=millrace-source'],
      env: { ...process.env, CRAWL_ALLOW_PRIVATE: '1', DEBUG: process.env.DBG ?? '' },
    })
  const child = start()
  try {
    await until(() => count(app.db, 'seology_page where fetched_at is not null') >= 15, 'fifteen')
    child.kill('SIGKILL')
    const t1 = performance.now() - t
    const c2 = start()
    await finished(app, id)
    console.log(i, Math.round(t1), Math.round(performance.now() - t))
    c2.kill('SIGKILL')
  } catch (e) {
    console.log(
      i,
      String(e),
      app.db.prepare('select count(*) from seology_page where fetched_at is not null').get(),
      browsersUnder(child.pid!),
    )
    await new Promise(r => setTimeout(r, 20000))
    console.log(
      'later',
      app.db.prepare('select count(*) from seology_page where fetched_at is not null').get(),
      browsersUnder(child.pid!),
      (await app.millrace.attempts(id)).map(a => a.outcome),
    )
    child.kill('SIGKILL')
  }
  await app[Symbol.asyncDispose]()
}
await site.close()
