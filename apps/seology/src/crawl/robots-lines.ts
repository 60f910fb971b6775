import type { RobotsProblem, RobotsProblemKind, RobotsRuleLine } from './robots.ts'

/** The lines of a robots.txt, understood one by one; grouping them is `robots.ts`'s. */
export type RobotsLine =
  | {
      field: 'user-agent' | 'allow' | 'disallow' | 'sitemap' | 'crawl-delay'
      value: string
      at: RobotsRuleLine
    }
  | { field: 'other'; value: string; at: RobotsRuleLine }

const maxBytes = 512_000
// As Google's parser cuts them: eight times the longest URL that its crawler takes.
const maxLineBytes = 16_664

const spellings: Record<string, RobotsLine['field']> = {
  'user-agent': 'user-agent',
  useragent: 'user-agent',
  'user agent': 'user-agent',
  allow: 'allow',
  disallow: 'disallow',
  dissallow: 'disallow',
  dissalow: 'disallow',
  disalow: 'disallow',
  diasllow: 'disallow',
  disallaw: 'disallow',
  sitemap: 'sitemap',
  'site-map': 'sitemap',
  'crawl-delay': 'crawl-delay',
  crawldelay: 'crawl-delay',
}
const proper = new Set(['user-agent', 'allow', 'disallow', 'sitemap', 'crawl-delay'])

// Extensions that some engine documents, so no fault of the file.
const extensions = new Set(
  'host clean-param request-rate visit-time noindex nofollow noarchive unavailable-after content-signal content-usage'.split(
    ' ',
  ),
)

export interface RobotsLines {
  lines: RobotsLine[]
  problems: RobotsProblem[]
  sizeBytes: number
  text: string
}

export function readRobotsLines(body: Uint8Array | string): RobotsLines {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const problems: RobotsProblem[] = []
  const report = (kind: RobotsProblemKind, line: number, text: string) =>
    problems.push({ kind, line, text: text.slice(0, 300) })

  if (bytes.length > maxBytes) report('too-large', 0, `${bytes.length} bytes`)
  // TextDecoder drops a byte order mark.
  const text = new TextDecoder('utf-8').decode(bytes.subarray(0, maxBytes))
  const result: RobotsLines = { lines: [], problems, sizeBytes: bytes.length, text }
  if (/^\s*<(?:!doctype|html|head|body|!--|\?xml|script|meta|title)/i.test(text)) {
    report('html-body', 1, text.trim().split('\n', 1)[0] ?? '')
    return result
  }
  if (text.includes('\ufffd')) report('not-utf8', 0, 'the file is not valid UTF-8')

  let number = 0
  for (const raw of text.split(/\r\n|\n|\r/)) {
    number += 1
    const line = readLine(cutLine(raw, number, report), number, report)
    if (line !== null) result.lines.push(line)
  }
  return result
}

type Report = (kind: RobotsProblemKind, line: number, text: string) => void

function cutLine(raw: string, number: number, report: Report): string {
  if (raw.length * 3 < maxLineBytes) return raw
  const bytes = new TextEncoder().encode(raw)
  if (bytes.length <= maxLineBytes) return raw
  report('line-too-long', number, `${bytes.length} bytes`)
  return new TextDecoder().decode(bytes.subarray(0, maxLineBytes))
}

function readLine(raw: string, number: number, report: Report): RobotsLine | null {
  const content = raw.split('#', 1)[0]?.trim() ?? ''
  if (content === '') return null
  const colon = content.indexOf(':')
  // Google takes white space for the colon when exactly two words stand on the line.
  const words = colon < 0 ? content.split(/\s+/) : []
  if (colon < 0) report('missing-colon', number, content)
  if (colon < 0 && words.length !== 2) return null
  const name = (colon < 0 ? (words[0] ?? '') : content.slice(0, colon)).trim().toLowerCase()
  const value = (colon < 0 ? (words[1] ?? '') : content.slice(colon + 1)).trim()
  const at = { line: number, text: content.slice(0, 300) }
  const field = Object.hasOwn(spellings, name) ? (spellings[name] ?? 'other') : 'other'
  if (field === 'other') {
    if (!extensions.has(name)) report('unknown-directive', number, content)
    return { field, value, at }
  }
  if (!proper.has(name)) report('misspelled-directive', number, content)
  if (colon < 0 && field !== 'allow' && field !== 'disallow' && field !== 'user-agent') return null
  return { field, value, at }
}
