import { decodeHtml, isHtmlType, looksLikeHtml } from './charset.ts'
import type { Clock } from './clock.ts'
import { describeError, type FetchError } from './fetch-errors.ts'
import { type FetchOptions, type HttpClient, headerValue, type OpenAnswer } from './http-client.ts'
import { collect } from './http-body.ts'
import type { FetchedPage } from './page.ts'
import { parseRetryAfter } from './politeness.ts'

interface PageSource {
  open: HttpClient['open']
  clock: Clock
  maxBodyBytes: number
}

export async function fetchPage(
  source: PageSource,
  url: string,
  options: FetchOptions,
): Promise<FetchedPage> {
  return retrying(() => fetchOnce(source, url, options), source.clock, options)
}

export interface RetryOptions {
  signal: AbortSignal
  maxAttempts?: number
  backoffMs?: readonly number[]
}

// A longer one is for the next crawl, or for the pacer to refuse.
const longestRetryAfterMs = 120_000

/** Repeats an attempt that failed for a reason that may pass; the answer tells how many were made. */
export async function retrying(
  attempt: () => Promise<FetchedPage>,
  clock: Clock,
  { signal, maxAttempts = 1, backoffMs = [30_000, 120_000] }: RetryOptions,
): Promise<FetchedPage> {
  for (let attempts = 1; ; attempts++) {
    const page = { ...(await attempt()), attempts }
    if (attempts >= maxAttempts || !mayPass(page)) return page
    const askedMs = parseRetryAfter(headerValue(page.headers, 'retry-after'), clock.now())
    if (askedMs !== null && askedMs > longestRetryAfterMs) return page
    const waitMs = backoffMs[Math.min(attempts, backoffMs.length) - 1] ?? 0
    await clock.sleep(askedMs ?? waitMs * (0.8 + 0.4 * Math.random()), signal)
  }
}

const passing = new Set(['dns', 'connect', 'tls', 'timeout', 'reset', 'protocol', 'browser'])

function mayPass({ status, error }: FetchedPage): boolean {
  return error === null ? status >= 500 || status === 429 : passing.has(error.kind)
}

async function fetchOnce(source: PageSource, url: string, options: FetchOptions): Promise<FetchedPage> {
  const fetchedAt = source.clock.now()
  const answer = await source.open(url, options)
  const page: FetchedPage = {
    fetchUrl: url,
    finalUrl: answer.finalUrl,
    mode: 'fetch',
    fetchedAt,
    status: answer.status,
    hops: answer.hops,
    headers: answer.ok ? answer.headers : [],
    html: null,
    bodyBytes: 0,
    ttfbMs: answer.ok ? answer.ttfbMs : 0,
    attempts: 1,
    error: answer.ok ? null : answer.error,
  }
  return answer.ok ? { ...page, ...(await readHtml(answer, source.maxBodyBytes, options.signal)) } : page
}

async function readHtml(
  answer: OpenAnswer,
  maxBodyBytes: number,
  signal: AbortSignal,
): Promise<{ html: string | null; bodyBytes: number; error: FetchError | null }> {
  const contentType = headerValue(answer.headers, 'content-type')
  const isHtml = isHtmlType(contentType)
  if (isHtml === false) {
    answer.discard()
    return { html: null, bodyBytes: 0, error: null }
  }
  let bodyBytes = 0
  try {
    const bytes = await collect(counted(answer.body(maxBodyBytes), count => (bodyBytes += count)))
    const html = isHtml || looksLikeHtml(bytes) ? decodeHtml(bytes, contentType) : null
    return { html, bodyBytes, error: null }
  } catch (error) {
    signal.throwIfAborted()
    return { html: null, bodyBytes, error: describeError(error) }
  }
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    count(chunk.length)
    yield chunk
  }
}
