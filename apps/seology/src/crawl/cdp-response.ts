import type { ResponseFacts } from './cdp-types.ts'
import type { FetchError } from './fetch-errors.ts'
import type { GuardProxy } from './guard-proxy.ts'
import type { FetchErrorKind } from './page.ts'

/** Raw header lines as Chromium tells them: repeated lines of one name are joined by a newline. */
export function headerLinesOf(
  headers: Record<string, string>,
  text: string | undefined,
): [name: string, value: string][] {
  if (text !== undefined && text !== '')
    return text
      .split(/\r?\n/)
      .slice(1)
      .flatMap((line): [string, string][] => {
        const colon = line.indexOf(':')
        return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]] : []
      })
  return Object.entries(headers).flatMap(([name, value]) =>
    value.split('\n').map((line): [string, string] => [name.toLowerCase(), line]),
  )
}

/** An answer that the guard proxy gave in a site's place: what had happened, else null. */
export function proxyFailure(response: ResponseFacts, proxy: GuardProxy): FetchError | null {
  for (const [name, value] of Object.entries(response.headers)) {
    if (name.toLowerCase() !== proxy.markHeader) continue
    const [mark, kind, message = ''] = value.split(' ')
    if (mark === proxy.mark) return { kind: kind as FetchErrorKind, message: decodeURIComponent(message) }
  }
  return null
}

const netErrors: readonly [RegExp, FetchErrorKind][] = [
  [/NAME_NOT_RESOLVED|DNS_/, 'dns'],
  [/CERT_|SSL_|BAD_SSL/, 'tls'],
  [/TIMED_OUT/, 'timeout'],
  [/CONNECTION_(?:RESET|CLOSED|ABORTED)|EMPTY_RESPONSE|CONTENT_LENGTH_MISMATCH|INCOMPLETE/, 'reset'],
  [/CONNECTION_|ADDRESS_|NETWORK_|INTERNET_|TUNNEL_|PROXY_/, 'connect'],
  [/TOO_MANY_REDIRECTS/, 'redirect-loop'],
  // We abort with a reason of our own; this one is a renderer that died.
  [/ERR_ABORTED/, 'browser'],
]

/** `net::ERR_…` in our words. */
export function netError(text: string): FetchError {
  const kind = netErrors.find(([pattern]) => pattern.test(text))?.[1] ?? 'protocol'
  return { kind, message: text }
}
