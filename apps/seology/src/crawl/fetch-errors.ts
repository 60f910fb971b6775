import type { FetchErrorKind } from './page.ts'

/** A failure of the network or of the answer. */
export class FetchFailure extends Error {
  readonly kind: FetchErrorKind
  constructor(kind: FetchErrorKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'FetchFailure'
    this.kind = kind
  }
}

export interface FetchError {
  kind: FetchErrorKind
  message: string
}

const kinds = new Map<string, FetchErrorKind>([
  ['address-refused', 'address-refused'],
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['EAI_FAIL', 'dns'],
  ['EAI_NODATA', 'dns'],
  ['ENODATA', 'dns'],
  ['ESERVFAIL', 'dns'],
  ['ECONNREFUSED', 'connect'],
  ['EHOSTUNREACH', 'connect'],
  ['ENETUNREACH', 'connect'],
  ['EHOSTDOWN', 'connect'],
  ['EADDRNOTAVAIL', 'connect'],
  ['EACCES', 'connect'],
  ['ETIMEDOUT', 'timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['ECONNABORTED', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['EPROTO', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls'],
  ['HOSTNAME_MISMATCH', 'tls'],
])

/** Says what a thrown network error means; its codes may lie several causes deep. */
export function describeError(error: unknown): FetchError {
  for (const layer of layers(error)) {
    if (layer instanceof FetchFailure) return { kind: layer.kind, message: layer.message }
    const code = 'code' in layer ? String(layer.code) : ''
    const kind = kinds.get(code) ?? kindByPrefix(code)
    if (kind !== undefined) return { kind, message: messageOf(layer, code) }
  }
  return { kind: 'protocol', message: error instanceof Error ? error.message : String(error) }
}

function kindByPrefix(code: string): FetchErrorKind | undefined {
  if (/^(?:CERT_|CRL_|ERR_TLS_|ERR_SSL_|ERR_OSSL_)/.test(code)) return 'tls'
  if (/^(?:HPE_|UND_ERR_|Z_|ERR__ERROR_FORMAT|ERR_BROTLI|ERR_ZSTD)/.test(code)) return 'protocol'
  return undefined
}

function messageOf(error: Error, code: string): string {
  return (error.message || code).slice(0, 300)
}

function layers(error: unknown): Error[] {
  const found: Error[] = []
  const visit = (value: unknown) => {
    if (!(value instanceof Error) || found.length >= 10 || found.includes(value)) return
    found.push(value)
    if (value instanceof AggregateError) value.errors.forEach(visit)
    visit(value.cause)
  }
  visit(error)
  return found
}
