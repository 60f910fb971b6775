import type { LookupFunction } from 'node:net'
import { rootCertificates } from 'node:tls'
import { Agent, buildConnector } from 'undici'
import type { AddressGuard } from './address-guard.ts'

export interface AgentOptions {
  guard: AddressGuard
  connectTimeoutMs: number
  connections: number
  /** PEM of certificates to trust beside the usual ones. */
  ca?: string | undefined
}

/** An undici agent whose every socket goes to an address that the guard has resolved and allowed. */
export function createGuardedAgent({ guard, connectTimeoutMs, connections, ca }: AgentOptions): Agent {
  const connect = buildConnector({
    // HTTP/1.1 keeps the raw header lines apart and one request a socket.
    allowH2: false,
    timeout: connectTimeoutMs,
    lookup: guardedLookup(guard),
    autoSelectFamily: true,
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
  })
  return new Agent({
    connections,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 30_000,
    maxHeaderSize: 64 * 1024,
    connect(options, callback) {
      // net.connect asks no lookup for an address literal.
      try {
        guard.checkLiteral(options.hostname)
      } catch (error) {
        callback(error as Error, null)
        return
      }
      connect(options, callback)
    },
  })
}

/** Connects to the very addresses that were judged: there is no second resolution to answer otherwise. */
export function guardedLookup(guard: AddressGuard): LookupFunction {
  return (hostname, options, callback) => {
    guard.resolve(hostname).then(
      addresses => {
        const [first] = addresses
        if (options.all) callback(null, addresses)
        else callback(null, first?.address ?? '', first?.family ?? 4)
      },
      (error: Error) => callback(error, options.all ? [] : '', 4),
    )
  }
}
