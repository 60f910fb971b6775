import { lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'

/** A request to a private, loopback, link-local or otherwise non-public address was refused. */
export class AddressRefusedError extends Error {
  readonly code = 'address-refused'
  readonly host: string
  readonly address: string
  constructor(host: string, address: string) {
    super(`${host} leads to ${address}, which is not a public address`)
    this.name = 'AddressRefusedError'
    this.host = host
    this.address = address
  }
}

export interface ResolvedAddress {
  address: string
  family: 4 | 6
}

/**
 * Decides which addresses the crawler may connect to. Whoever connects asks `resolve` and then connects to one of the
 * answered addresses, never to the name again: a second resolution could answer otherwise (DNS rebinding).
 */
export interface AddressGuard {
  readonly allowPrivate: boolean
  /** Judges an IP address. */
  allows(address: string): boolean
  /** Throws `AddressRefusedError` when the host is a literal that is not allowed; names pass. */
  checkLiteral(hostname: string): void
  /** Resolves a host name or literal and answers only allowed addresses; throws when none is left. */
  resolve(hostname: string): Promise<ResolvedAddress[]>
}

export interface AddressGuardOptions {
  /** Allows private, loopback and link-local addresses (tests, demo, intranets); cloud metadata stays refused. */
  allowPrivate?: boolean
  /** Single addresses that are allowed although they are not public. */
  alsoAllow?: readonly string[]
  /** Name resolution, the system's by default. */
  resolver?: (hostname: string) => Promise<ResolvedAddress[]>
}

export function createAddressGuard({
  allowPrivate = false,
  alsoAllow = [],
  resolver = resolveBySystem,
}: AddressGuardOptions = {}): AddressGuard {
  const allows = (address: string) => alsoAllow.includes(address) || isAllowed(address, allowPrivate)

  function literalOf(hostname: string): string | null {
    const literal = canonicalLiteral(hostname)
    if (literal !== null && !allows(literal)) throw new AddressRefusedError(hostname, literal)
    return literal
  }

  return {
    allowPrivate,
    allows,
    checkLiteral: hostname => void literalOf(hostname),
    async resolve(hostname) {
      const literal = literalOf(hostname)
      if (literal !== null) return [{ address: literal, family: literal.includes(':') ? 6 : 4 }]
      const addresses = await resolver(hostname)
      const allowed = addresses.filter(({ address }) => allows(address))
      if (allowed.length === 0) throw new AddressRefusedError(hostname, addresses[0]?.address ?? 'nowhere')
      return allowed
    },
  }
}

async function resolveBySystem(hostname: string): Promise<ResolvedAddress[]> {
  const addresses = await lookup(hostname, { all: true, order: 'ipv4first' })
  return addresses.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

/** The address that a host literal in any spelling (`[::1]`, `0x7f.1`, `2130706433`, `127.1`) stands for, or null. */
export function canonicalLiteral(hostname: string): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  if (bare.includes(':')) return ipaddr.isValid(bare) ? ipaddr.parse(bare).toString() : bare
  // The URL parser knows every spelling of an IPv4 address that a browser takes.
  const parsed = URL.parse(`http://${bare}/`)?.hostname ?? bare
  const name = parsed.replace(/\.+$/, '')
  return ipaddr.IPv4.isValidFourPartDecimal(name) ? name : null
}

// These hand out credentials to whoever asks from inside: refused even where private addresses are allowed.
const metadata = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
])

const privateRanges = new Set([
  'private',
  'loopback',
  'linkLocal',
  'carrierGradeNat',
  'uniqueLocal',
  'deprecatedSiteLocal',
])

// IPv6 that may be routed at all (RFC 4291); what ipaddr.js calls unicast is merely what no special range covers.
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]
const nat64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96]

function isAllowed(address: string, allowPrivate: boolean): boolean {
  const bare = address.replace(/%.*$/, '')
  if (!ipaddr.isValid(bare)) return false
  const parsed = ipaddr.process(bare)
  if (metadata.has(parsed.toString())) return false
  const embedded = parsed.kind() === 'ipv6' ? embeddedIPv4(parsed as ipaddr.IPv6) : null
  if (embedded !== null) return isAllowed(embedded, allowPrivate)
  const range = parsed.range()
  if (allowPrivate && privateRanges.has(range)) return true
  if (range !== 'unicast') return false
  return parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(globalUnicast)
}

/** A translator (RFC 6052) delivers to the IPv4 address inside: that one is judged. */
function embeddedIPv4(address: ipaddr.IPv6): string | null {
  if (!address.match(nat64)) return null
  return address.toByteArray().slice(12).join('.')
}
