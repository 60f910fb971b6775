import { createGunzip } from 'node:zlib'
import { pipeline, Readable } from 'node:stream'
import { describeError, FetchFailure } from './fetch-errors.ts'
import type { OpenAnswer } from './http.ts'
import { judgeLastmod, judgeLoc } from './sitemap-rules.ts'
import { createSitemapParser, type SitemapParser } from './sitemap-parse.ts'
import type {
  ReadSitemapsOptions,
  SitemapEntry,
  SitemapFile,
  SitemapProblemKind,
  SitemapTask,
} from './sitemap.ts'

const maxBytes = 52_428_800
const maxEntries = 50_000
const timeoutMs = 180_000

interface FileContext extends Pick<ReadSitemapsOptions, 'http' | 'robots' | 'siteUrl' | 'signal'> {
  now: number
  isKnown(url: string): boolean
  problem(kind: SitemapProblemKind, file: string, line: number, detail: string): void
  onChild(url: string): void
  /** False stops the reading. */
  onEntry(entry: SitemapEntry): boolean
}

export interface FileOutcome {
  /** Null for one that is not there and need not be. */
  file: SitemapFile | null
  finalUrl: string
  isIncomplete: boolean
}

export async function readSitemapFile(task: SitemapTask, context: FileContext): Promise<FileOutcome> {
  const { http, robots, signal } = context
  const isGuess = task.foundBy === 'well-known'
  const nothing: FileOutcome = { file: null, finalUrl: task.url, isIncomplete: false }
  if (isGuess && !(await robots.mayFetch(task.url, signal))) return nothing
  const answer = await http.open(task.url, { signal, totalTimeoutMs: timeoutMs })
  const file: SitemapFile = {
    url: task.url,
    foundBy: task.foundBy,
    kind: 'unknown',
    status: answer.status,
    bytes: 0,
    entries: 0,
  }
  const failed = (detail: string): FileOutcome => {
    context.problem('fetch-failed', task.url, 0, detail)
    return { file, finalUrl: answer.finalUrl, isIncomplete: true }
  }
  if (!answer.ok) return isGuess ? nothing : failed(answer.error.message)
  if (answer.status !== 200 || (answer.finalUrl !== task.url && context.isKnown(answer.finalUrl))) {
    answer.discard()
    if (answer.status === 200) return { ...nothing, finalUrl: answer.finalUrl }
    return isGuess && answer.status < 500 ? nothing : failed(`status ${answer.status}`)
  }
  const failure = await readBody(task, answer, file, context)
  if (failure !== null) return failed(failure)
  // A site that answers every path with a page has no sitemap there; nobody said it had.
  if (isGuess && file.kind === 'unknown') return { ...nothing, finalUrl: answer.finalUrl }
  return { file, finalUrl: answer.finalUrl, isIncomplete: false }
}

/** Answers why the file could not be read to its end, or null. */
async function readBody(
  task: SitemapTask,
  answer: OpenAnswer,
  file: SitemapFile,
  context: FileContext,
): Promise<string | null> {
  const entries: SitemapEntry[] = []
  const isGuess = task.foundBy === 'well-known'
  const parser = createSitemapParser(task.url, {
    entry: entry => entries.push(entry),
    problem: (kind, line, detail) => {
      if (kind === 'bad-xml' || !isGuess) context.problem(kind, task.url, line, detail)
    },
  })
  const decoder = new TextDecoder('utf-8')
  const source = Readable.from(answer.body(maxBytes))
  try {
    for await (const chunk of unzipped(source)) {
      file.bytes += chunk.length
      if (file.bytes > maxBytes) throw new FetchFailure('too-large', `more than ${maxBytes} bytes`)
      parser.write(decoder.decode(chunk, { stream: true }))
      if (!(await takeEntries(entries.splice(0), parser, task, file, context)) || parser.isDone()) return null
    }
    parser.write(decoder.decode())
    parser.end()
    await takeEntries(entries, parser, task, file, context)
    return null
  } catch (error) {
    context.signal.throwIfAborted()
    const { kind, message } = describeError(error)
    if (kind !== 'too-large') return message
    context.problem('too-large', task.url, 0, `more than ${maxBytes} bytes uncompressed`)
    return null
  } finally {
    file.kind = parser.kind()
    source.destroy()
  }
}

/** Some servers serve a `.gz` as it is, others unpack it: the first two bytes tell. */
async function* unzipped(source: Readable): AsyncGenerator<Uint8Array> {
  const reader = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  let head: Uint8Array = new Uint8Array()
  let isEnded = false
  while (head.length < 2 && !isEnded) {
    const next = await reader.next()
    isEnded = next.done === true
    if (!next.done) head = Buffer.concat([head, next.value])
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head
    for (;;) {
      const next = await reader.next()
      if (next.done) return
      yield next.value
    }
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* all()
    return
  }
  yield* pipeline(Readable.from(all()), createGunzip(), () => undefined) as AsyncIterable<Buffer>
}

/** False when there is no use in reading on. */
async function takeEntries(
  entries: readonly SitemapEntry[],
  parser: SitemapParser,
  task: SitemapTask,
  file: SitemapFile,
  context: FileContext,
): Promise<boolean> {
  for (const entry of entries) {
    if (file.entries >= maxEntries) {
      context.problem('too-many-urls', task.url, entry.line, `more than ${maxEntries} URLs`)
      return false
    }
    file.entries += 1
    const fault = await judgeLoc(entry.loc, task, context)
    if (fault !== null) {
      context.problem(fault.kind, task.url, entry.line, fault.detail)
      continue
    }
    if (parser.kind() === 'index') {
      if (task.foundBy !== 'index') context.onChild(new URL(entry.loc).href)
      else if (file.entries === 1)
        context.problem('nested-index', task.url, entry.line, 'an index lists an index')
      continue
    }
    const dated = judgeLastmod(entry, parser.kind(), context.now)
    if (dated.fault !== null) context.problem(dated.fault.kind, task.url, entry.line, dated.fault.detail)
    if (!context.onEntry({ ...entry, lastmod: dated.lastmod })) return false
  }
  return true
}
