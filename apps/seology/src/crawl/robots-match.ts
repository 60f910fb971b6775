/** How one robots.txt rule is compared with a URL: RFC 9309 section 2.2.2, and Google's parser where it differs. */

export type RobotsFlavour = 'rfc' | 'google'

const unreserved = /[A-Za-z0-9\-._~]/
const encoder = new TextEncoder()

/** Percent-encodes what is not ASCII and upper-cases escapes; the RFC's flavour decodes escaped unreserved octets too. */
export function normalizeForMatch(text: string, flavour: RobotsFlavour): string {
  let out = ''
  for (const character of text) {
    if (character <= '\x7f') out += character
    else
      for (const octet of encoder.encode(character))
        out += `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return flavour === 'rfc' && unreserved.test(character) ? character : escape.toUpperCase()
  })
}

/** Path and query of a URL as robots rules see it. */
export function matchTarget(url: string, flavour: RobotsFlavour): string {
  const { pathname, search } = new URL(url)
  return normalizeForMatch(pathname + search, flavour)
}

/**
 * Does a normalised pattern (`*` any run, a final `$` the end) match from the start of the target? Greedy per literal
 * piece, so that its cost is the product of the two lengths at worst.
 */
export function patternMatches(pattern: string, target: string): boolean {
  const anchored = pattern.endsWith('$')
  const pieces = (anchored ? pattern.slice(0, -1) : pattern).split('*')
  const first = pieces[0] ?? ''
  if (!target.startsWith(first)) return false
  if (pieces.length === 1) return !anchored || target.length === first.length
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = target.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  const last = pieces.at(-1) ?? ''
  if (anchored) return target.length - last.length >= at && target.endsWith(last)
  return target.indexOf(last, at) >= 0
}
