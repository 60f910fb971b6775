import { isVisitParam } from './url-params.ts'

export interface CanonicalUrl {
  /** What is requested: tracking and session parameters dropped, parameter order kept, no fragment. */
  fetchUrl: string
  /** What URLs are told apart by: `fetchUrl` with its parameters sorted by name. */
  key: string
  /** The dropped fragment with its `#`, or ''. */
  fragment: string
  /** The href carried `user:password@`, which is dropped. */
  hadUserinfo: boolean
}

export interface CanonicalizeOptions {
  /** Names (lower case) of site-specific session parameters to drop, see `findSessionParams`. */
  dropParams?: ReadonlySet<string>
}

/**
 * Resolves an href against the document's base URI and canonicalises it (RFC 3986 section 6.2, beyond what the WHATWG
 * parser does by itself); null when it is unparsable or not http(s). Canonicalising a result again changes nothing.
 */
export function canonicalize(
  href: string,
  base?: string,
  options: CanonicalizeOptions = {},
): CanonicalUrl | null {
  const url = URL.parse(href, base)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null
  const host = canonicalHost(url)
  if (host === null) return null
  const origin = `${url.protocol}//${host}`
  const path = withoutSessionIds(normalizeEscapes(url.pathname), origin)
  const params = keptParams(normalizeEscapes(url.search.slice(1)), options.dropParams)
  return {
    fetchUrl: origin + path + asQuery(params),
    key: origin + path + asQuery(sortable(params) ? sortParams(params) : params),
    fragment: url.hash,
    hadUserinfo: url.username !== '' || url.password !== '',
  }
}

/** Host with port. The parser has lower-cased it and made A-labels of it, but keeps the root label's dot. */
function canonicalHost(url: URL): string | null {
  const name = url.hostname.replace(/\.+$/, '')
  if (name === '') return null
  return url.port === '' ? name : `${name}:${url.port}`
}

function withoutSessionIds(path: string, origin: string): string {
  const stripped = path.replace(/;jsessionid=[^/;]*/gi, '')
  if (stripped === path) return path
  // What is left may be a dot segment, or spell another session id.
  return withoutSessionIds(normalizeEscapes(new URL(origin + stripped).pathname), origin)
}

const unreserved = /[A-Za-z0-9\-._~]/
// Parsers disagree on these: Chromium escapes some that Node leaves alone, and one href would get two keys.
const toEscape = /[|^`{}"' <>\\]/g

/**
 * Upper-cases escapes, decodes those of unreserved octets, escapes what parsers disagree on. An escape right after a
 * stray `%` is left alone: decoding it could make another one.
 */
function normalizeEscapes(text: string): string {
  return text
    .replace(/(?<!%[0-9A-Fa-f]?)%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
      const character = String.fromCharCode(Number.parseInt(hex, 16))
      return unreserved.test(character) ? character : escape
    })
    .replace(/%[0-9A-Fa-f]{2}/g, escape => escape.toUpperCase())
    .replace(toEscape, character => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

function keptParams(query: string, dropParams: ReadonlySet<string> | undefined): string[] {
  return query.split('&').filter(param => {
    if (param === '') return false
    const name = paramName(param).toLowerCase()
    return !isVisitParam(name) && !dropParams?.has(name)
  })
}

function paramName(param: string): string {
  const end = param.indexOf('=')
  return end < 0 ? param : param.slice(0, end)
}

/** Order may carry meaning in a query that is not a list of `name=value`. */
function sortable(params: readonly string[]): boolean {
  return params.every(param => param.includes('=') && !param.includes(';'))
}

function sortParams(params: readonly string[]): string[] {
  return params
    .map(param => ({ param, name: paramName(param) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ param }) => param)
}

function asQuery(params: readonly string[]): string {
  return params.length === 0 ? '' : `?${params.join('&')}`
}
