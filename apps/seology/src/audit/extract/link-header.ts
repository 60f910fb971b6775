/** The `Link` header by RFC 8288: targets may hold commas and semicolons, parameters may be quoted strings. */

export interface HeaderLink {
  target: string
  /** Lower-case names; the first of repeated ones counts, as the RFC says for `rel`. */
  params: Record<string, string>
}

const parameter = /\s*;\s*([^\s=;,]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,]*))?/y

/** The links of one header line; what is malformed ends the line's parsing without an error. */
export function parseLinkHeader(line: string): HeaderLink[] {
  const links: HeaderLink[] = []
  let at = 0
  while (at < line.length) {
    const open = line.indexOf('<', at)
    const close = open < 0 ? -1 : line.indexOf('>', open)
    if (close < 0) break
    const link: HeaderLink = { target: line.slice(open + 1, close).trim(), params: {} }
    at = close + 1
    for (;;) {
      parameter.lastIndex = at
      const match = parameter.exec(line)
      if (!match) break
      at = parameter.lastIndex
      const name = (match[1] as string).toLowerCase().replace(/\*$/, '')
      link.params[name] ??= unquote(match[2] ?? '')
    }
    links.push(link)
    const comma = line.indexOf(',', at)
    if (comma < 0) break
    at = comma + 1
  }
  return links
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
