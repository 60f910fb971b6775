import { Hono } from 'hono'
import { QueueError } from 'millrace'
import { z } from 'zod'
import type { CrawlRow } from '../tables/crawls.ts'
import { severityRank } from '../tables/issues.ts'
import { countStates, findConnection, findCrawl, listIssues, listPages } from '../tables/lists.ts'
import type { Tables } from '../tables/open.ts'
import { crawlDocument, issueDocument, pageDocument, siteDocument } from './documents.ts'
import { issuesQuery, pagesQuery, readCursor, readQuery, siteQuery, writeCursor } from './query.ts'

const pageMark = z.tuple([z.string()])
const issueMark = z.tuple([z.int(), z.string(), z.string(), z.string()])

/** `/api/sites`. Faults are thrown as `QueueError`s, which the server answers with problem documents. */
export function siteRoutes(tables: Tables): Hono {
  const { db } = tables
  const routes = new Hono()

  routes.get('/:connectionId', async c => {
    const id = c.req.param('connectionId')
    const { owner } = readQuery(siteQuery, c.req.queries())
    const connection = await findConnection(db, owner, id)
    if (!connection) throw unknownSite(id)
    const crawl = await findCrawl(db, owner, id, undefined)
    const lastCrawl = crawl ? { ...crawlDocument(crawl), pages: await countStates(db, crawl.id) } : null
    return c.json(siteDocument(connection, lastCrawl))
  })

  routes.get('/:connectionId/pages', async c => {
    const { owner, crawl: asked, state, limit, cursor } = readQuery(pagesQuery, c.req.queries())
    const [after] = readCursor(pageMark, cursor) ?? ['']
    const crawl = await crawlOf(c.req.param('connectionId'), owner, asked)
    const pages = await listPages(db, crawl.id, { states: state, after, limit })
    const last = pages.length === limit ? pages.at(-1) : undefined
    return c.json({
      crawl: crawl.id,
      pages: pages.map(pageDocument),
      cursor: last ? writeCursor([last.key]) : null,
    })
  })

  routes.get('/:connectionId/issues', async c => {
    const { owner, crawl: asked, limit, cursor, ...given } = readQuery(issuesQuery, c.req.queries())
    const mark = readCursor(issueMark, cursor)
    const crawl = await crawlOf(c.req.param('connectionId'), owner, asked)
    const filter = {
      verdict: given.verdict,
      ...(given.severity ? { severities: given.severity.map(severityRank) } : {}),
      ...(given.id ? { checkIds: given.id } : {}),
      ...(given.category ? { categories: given.category } : {}),
    }
    const after = mark && { severity: mark[0], check_id: mark[1], subject: mark[2], variant: mark[3] }
    const issues = await listIssues(db, crawl.id, filter, { after, limit })
    const last = issues.length === limit ? issues.at(-1) : undefined
    return c.json({
      crawl: crawl.id,
      issues: issues.map(issueDocument),
      cursor: last ? writeCursor([last.severity, last.check_id, last.subject, last.variant]) : null,
    })
  })

  async function crawlOf(connectionId: string, owner: string, asked: number | undefined): Promise<CrawlRow> {
    const crawl = await findCrawl(db, owner, connectionId, asked)
    if (crawl) return crawl
    throw asked === undefined
      ? unknownSite(connectionId)
      : new QueueError('not-found', `The site ${connectionId} has no crawl ${asked}: never made, or pruned.`)
  }

  return routes
}

function unknownSite(id: string): QueueError {
  return new QueueError('not-found', `There is no site ${id}: enqueue a CRAWL_SITE with this connectionId.`)
}
