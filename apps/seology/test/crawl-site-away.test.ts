import { createServer, type MillraceServer } from '@millrace/api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../packages/queue/test/support/postgres-server.ts'
import { groundTruth, groundTruthPayload } from '../sample-site/ground-truth.ts'
import { startSampleSite } from '../sample-site/serve.ts'
import { seology } from '../src/main.ts'
import { finished, startCrawl, until } from './crawl-site-support.ts'

const adminToken = 'test-token-0123456789'

describe('a server whose PostgreSQL goes away', () => {
  let database: PostgresServer
  let server: MillraceServer
  beforeEach(async () => {
    process.env['CRAWL_ALLOW_PRIVATE'] = '1'
    database = await startPostgres()
    server = await createServer({
      url: database.url(),
      modules: [seology()],
      access: { adminTokens: [adminToken] },
      port: 0,
    })
  })
  afterEach(async () => {
    delete process.env['CRAWL_ALLOW_PRIVATE']
    await server.close({ deadlineMs: 0 })
    await database.stop('immediate')
  })

  const ask = (path: string) =>
    fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${adminToken}` } })

  it.each(['/seology/api/sites/shop', '/api/v1/stats', '/health'])(
    'answers %s with 503, and as before once it is back',
    async path => {
      const { status } = await ask(path)
      await database.stop()
      const away = await ask(path)
      expect(away.status).toBe(503)
      if (path !== '/health') {
        expect(await away.json()).toMatchObject({ code: 'unavailable', status: 503 })
        expect(Number(away.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      }
      await database.start()
      await until(async () => (await ask(path)).status === status, `${path} answers ${status} again`)
    },
  )

  it('goes on with its crawl when it is back, and spends no attempt on it', async () => {
    const site = await startSampleSite()
    try {
      const id = await startCrawl(server, { url: site.url, ...groundTruthPayload })
      const pages = await new Promise<number>(resolve => {
        server.millrace.on('progress', ({ message }) => {
          const [, page] = /^page (\d+) of/.exec(message ?? '') ?? []
          if (Number(page) >= 10) resolve(Number(page))
        })
      })
      await database.stop('immediate')
      await database.start()
      const result = await finished(server, id)
      const { pages: known, findings } = groundTruth('fetch')
      expect(pages).toBeLessThan(known.length)
      expect(result).toMatchObject({ pagesAnalyzed: known.length, issuesFound: findings.length })
      expect((await server.millrace.get(id))?.attempt).toBe(1)
    } finally {
      await site.close()
    }
  })
})
