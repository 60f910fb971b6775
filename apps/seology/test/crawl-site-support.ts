/** A real queue, a real worker and real sites, for tests of the whole job. */

import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openApplication } from '@millrace/api'
import type { EnqueueOptions, Job, Millrace, WorkerOptions } from 'millrace'
import { type CrawlOptions, type CrawlSiteResult, crawlSite, seology } from '../src/main.ts'
import { makeStore, type StoreKind, type TestStore } from './stores.ts'

export interface CrawlInput {
  url: string
  connectionId?: string
  render?: 'browser' | 'fetch'
  maxPages?: number
  maxDepth?: number
}

export interface TestApp extends AsyncDisposable {
  millrace: Millrace
  /** What it works on, for looking into it. */
  store: TestStore
}

export async function startApp(
  kind: StoreKind,
  options: CrawlOptions = {},
  worker: WorkerOptions | false = {},
): Promise<TestApp> {
  const store = await makeStore(kind)
  const application = await openApplication({ url: store.url, modules: [seology(options)], worker })
  await application.worker?.start()
  return {
    millrace: application.millrace,
    store,
    async [Symbol.asyncDispose]() {
      await application.close({ deadlineMs: 0 })
      await store[Symbol.asyncDispose]()
    },
  }
}

export async function startCrawl(
  { millrace }: Pick<TestApp, 'millrace'>,
  input: CrawlInput,
  options: EnqueueOptions = {},
): Promise<string> {
  const { id } = await millrace.enqueue(
    crawlSite,
    { connectionId: 'site', render: 'fetch', ...input },
    options,
  )
  return id
}

/** Crawls to the end. */
export async function crawlAll(
  app: Pick<TestApp, 'millrace'>,
  input: CrawlInput,
  options: EnqueueOptions = {},
): Promise<CrawlSiteResult> {
  return finished(app, await startCrawl(app, input, options))
}

export function finished({ millrace }: Pick<TestApp, 'millrace'>, id: string): Promise<CrawlSiteResult> {
  return millrace.result(id as Parameters<Millrace['result']>[0], {
    timeoutMs: 60_000,
  }) as Promise<CrawlSiteResult>
}

/** Waits for a job that is not expected to complete. */
export async function ended({ millrace }: TestApp, id: string): Promise<Job> {
  await millrace.result(id as Parameters<Millrace['result']>[0], { timeoutMs: 60_000 }).catch(() => {})
  return (await millrace.get(id)) as Job
}

/** Everything that a crawl has stored and that should not depend on when and in which order it was fetched. */
export async function stored(store: TestStore, crawlId: number) {
  const rows = (sql: string): Promise<unknown[]> => store.rows(sql, crawlId)
  return {
    pages:
      await rows(`select key, fetch_url, state, reason, depth, discovered_by, discovered_from, attempts, status,
      final_url, title, words, text_hash from seology_page where crawl_id = ? order by key`),
    targets: await rows(
      `select key, url, internal, verdict, status from seology_link_target where crawl_id = ? order by key`,
    ),
    links: await rows(`select page.key as source, target.key as target, link.follow, link.occurrences
      from seology_link link join seology_page page on page.id = link.source_id
        join seology_link_target target on target.id = link.target_id
      where target.crawl_id = ? order by 1, 2`),
    issues:
      await rows(`select check_id, subject, variant, severity, category, scope, verdict, page, occurrences, advice
      from seology_issue where crawl_id = ? order by check_id, subject, variant`),
  }
}

export async function count(store: TestStore, sql: string): Promise<number> {
  const [row] = await store.rows(`select count(*) as rows from ${sql}`)
  return Number(row?.['rows'])
}

export interface Reply {
  status?: number
  headers?: Record<string, string>
  body?: string
  delayMs?: number
}

export interface TestSite extends AsyncDisposable {
  /** With a final slash. */
  url: string
  /** Paths in the order in which they were asked for. */
  requests: string[]
}

/** A site whose pages are a table; what is not in it is a 404. */
export async function startSite(
  answer:
    | Record<string, Reply | string>
    | ((path: string, request: IncomingMessage) => Reply | string | undefined),
  host = '127.0.0.1',
): Promise<TestSite> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    requests.push(path)
    const found = typeof answer === 'function' ? answer(path, request) : answer[path]
    const reply: Reply =
      typeof found === 'string' ? { body: found } : (found ?? { status: 404, body: 'none' })
    const send = () => {
      response.writeHead(reply.status ?? 200, {
        'content-type': 'text/html; charset=utf-8',
        ...reply.headers,
      })
      response.end(request.method === 'HEAD' ? undefined : reply.body)
    }
    if (reply.delayMs) setTimeout(send, reply.delayMs)
    else send()
  })
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** A page that links to the given hrefs. */
export function page(title: string, hrefs: readonly string[], body = ''): string {
  const links = hrefs
    .map(href => `<li><a href="${href}">Towards ${href.replace(/[<>"]/g, '')}</a></li>`)
    .join('')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body><main><h1>${title}</h1><ul>${links}</ul>${body}</main></body></html>`
}

/** Resolves as soon as the condition holds; the test's own time is the limit. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 40_000,
): Promise<void> {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Processes of browsers that a process has started, itself or through others (Linux). */
export function browsersUnder(pid: number): number[] {
  const children = new Map<number, { pid: number; name: string }[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const [, name = '', parent] = /\((.*)\) \S (\d+)/.exec(statOf(Number(entry))) ?? []
    if (parent !== undefined)
      children.set(Number(parent), [...(children.get(Number(parent)) ?? []), { pid: Number(entry), name }])
  }
  const under = (each: number): { pid: number; name: string }[] =>
    (children.get(each) ?? []).flatMap(child => [child, ...under(child.pid)])
  return under(pid).flatMap(child => (/chrom/i.test(child.name) ? child.pid : []))
}

export function isAlive(pid: number): boolean {
  const state = /\) (\S)/.exec(statOf(pid))?.[1]
  return state !== undefined && state !== 'Z'
}

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}
