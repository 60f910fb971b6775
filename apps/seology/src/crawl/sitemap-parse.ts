import type { SitemapEntry, SitemapKind } from './sitemap.ts'
import { createXmlScanner, XmlFault, type XmlScanner } from './xml-scan.ts'

export interface SitemapSink {
  entry(entry: SitemapEntry): void
  problem(kind: 'bad-xml' | 'html-body' | 'unknown-format', line: number, detail: string): void
}

/** Reads one sitemap file piece by piece, whatever its format. */
export interface SitemapParser {
  kind(): SitemapKind
  write(text: string): void
  end(): void
  /** Nothing more can be got out of this file. */
  isDone(): boolean
}

export function createSitemapParser(file: string, sink: SitemapSink): SitemapParser {
  let kind: SitemapKind = 'unknown'
  let format: XmlScanner | TextReader | null = null
  let start = ''
  let isDone = false

  const xml = () =>
    createXmlScanner(
      entryHandler(file, sink, found => {
        kind = found
        if (found === 'unknown') isDone = true
      }),
    )
  const attempt = (step: () => void) => {
    if (isDone) return
    try {
      step()
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error
      sink.problem('bad-xml', error.line, error.message)
      isDone = true
    }
  }

  function write(text: string): void {
    if (format !== null) return format.write(text)
    start += text
    const first = /^\ufeff?\s*(\S)/.exec(start)?.[1]
    if (first === undefined) return
    const clean = start.replace(/^\ufeff/, '')
    if (first === '<' && /^\s*<(?:!doctype\s+html|html|head|body)\b/i.test(clean)) {
      sink.problem('html-body', 1, 'an HTML page stands in place of the sitemap')
      isDone = true
    } else if (first === '<') {
      format = xml()
      format.write(clean)
    } else if (/^\s*https?:/i.test(clean) || clean.trim().length < 6) {
      kind = 'text'
      format = textReader(file, sink)
      format.write(clean)
    } else {
      sink.problem('unknown-format', 1, 'neither XML nor a list of URLs')
      isDone = true
    }
  }

  return {
    kind: () => kind,
    write: text => attempt(() => write(text)),
    end: () =>
      attempt(() =>
        format === null ? sink.problem('unknown-format', 0, 'the file is empty') : format.end(),
      ),
    isDone: () => isDone,
  }
}

type TextReader = Pick<XmlScanner, 'write' | 'end'>

function textReader(file: string, sink: SitemapSink): TextReader {
  let rest = ''
  let line = 0
  const take = (loc: string) => {
    line += 1
    if (loc.trim() !== '') sink.entry({ loc: loc.trim(), lastmod: null, alternates: [], file, line })
  }
  return {
    write(text) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(take)
    },
    end: () => take(rest),
  }
}

interface Shape {
  kind: SitemapKind
  item: string
  loc: string
  lastmod: string
}

const shapes: Record<string, Shape> = {
  urlset: { kind: 'urlset', item: 'url', loc: 'loc', lastmod: 'lastmod' },
  sitemapindex: { kind: 'index', item: 'sitemap', loc: 'loc', lastmod: 'lastmod' },
  rss: { kind: 'rss', item: 'item', loc: 'link', lastmod: 'pubDate' },
  feed: { kind: 'atom', item: 'entry', loc: '', lastmod: 'updated' },
}

/** Elements of the root's own namespace count: `image:loc` is not the page's. */
function entryHandler(file: string, sink: SitemapSink, onKind: (kind: SitemapKind) => void) {
  let shape: Shape | null = null
  let prefix = ''
  let depth = 0
  let entry: SitemapEntry | null = null
  let field: 'loc' | 'lastmod' | null = null
  let text = ''
  const own = (name: string, local: string | undefined) => local !== undefined && name === prefix + local

  function openRoot(name: string, line: number): void {
    const [local = '', namespace] = name.split(':').reverse()
    prefix = namespace === undefined ? '' : `${namespace}:`
    shape = Object.hasOwn(shapes, local) ? (shapes[local] ?? null) : null
    onKind(shape?.kind ?? 'unknown')
    if (shape === null) sink.problem('unknown-format', line, `<${name}> is no sitemap`)
  }

  return {
    open(name: string, attributes: Map<string, string>, line: number) {
      depth += 1
      if (depth === 1) return openRoot(name, line)
      if (own(name, shape?.item)) entry = { loc: '', lastmod: null, alternates: [], file, line }
      if (entry === null) return
      text = ''
      field = own(name, shape?.loc) ? 'loc' : own(name, shape?.lastmod) ? 'lastmod' : null
      const href = attributes.get('href')
      if (href === undefined || !/(?:^|:)link$/.test(name)) return
      const rel = attributes.get('rel') ?? 'alternate'
      if (shape?.kind === 'atom' && rel === 'alternate' && entry.loc === '') entry.loc = href.trim()
      const hreflang = attributes.get('hreflang')
      if (shape?.kind === 'urlset' && rel === 'alternate' && hreflang !== undefined)
        entry.alternates.push({ hreflang, href: href.trim() })
    },
    close(name: string) {
      depth -= 1
      if (entry === null) return
      if (field === 'loc' && own(name, shape?.loc)) entry.loc = text.trim()
      if (field === 'lastmod' && own(name, shape?.lastmod)) entry.lastmod = text.trim()
      field = null
      if (!own(name, shape?.item)) return
      sink.entry(entry)
      entry = null
    },
    text(piece: string) {
      if (field !== null && text.length < 10_000) text += piece
    },
    fault: (detail: string, line: number) => sink.problem('bad-xml', line, detail),
  }
}
