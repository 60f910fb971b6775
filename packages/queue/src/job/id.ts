/** Job ids are UUIDv7 (RFC 9562): they sort by creation time, and an enqueue that is repeated keeps its id. */
export type IdMaker = () => string

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Makes UUIDv7s that also sort by creation within one millisecond and one process: the 12 bits after the version count
 * up from a random start (RFC 9562, method 1). When the clock goes back, the last millisecond is kept.
 */
export function idMaker(now: () => number, fill: (bytes: Uint8Array) => void): IdMaker {
  const bytes = new Uint8Array(16)
  const random = bytes.subarray(6)
  let lastMs = -1
  let count = 0
  return () => {
    fill(random)
    let ms = Math.floor(now())
    if (ms > lastMs) {
      lastMs = ms
      count = (((bytes[6] as number) & 0x07) << 8) | (bytes[7] as number)
    } else {
      ms = lastMs
      count++
      if (count > 0xfff) {
        ms = ++lastMs
        count = 0
      }
    }
    const high = Math.floor(ms / 2 ** 16)
    bytes[0] = high >>> 24
    bytes[1] = high >>> 16
    bytes[2] = high >>> 8
    bytes[3] = high
    bytes[4] = ms >>> 8
    bytes[5] = ms
    bytes[6] = 0x70 | (count >>> 8)
    bytes[7] = count
    bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f)
    return formatId(bytes)
  }
}

/** 16 bytes to the usual text form. */
export function formatId(bytes: Uint8Array): string {
  const at = (index: number): string => hex[bytes[index] as number] as string
  return `${at(0)}${at(1)}${at(2)}${at(3)}-${at(4)}${at(5)}-${at(6)}${at(7)}-${at(8)}${at(9)}-${at(10)}${at(11)}${at(12)}${at(13)}${at(14)}${at(15)}`
}

/** 32 lower-case hex digits to the usual text form. */
export function formatHexId(digits: string): string {
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
}

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isId(text: string): boolean {
  return pattern.test(text)
}

/** The usual text form to 16 bytes. The caller has checked it with `isId`. */
export function parseId(text: string): Uint8Array {
  const bytes = new Uint8Array(16)
  let at = 0
  for (let index = 0; index < 16; index++) {
    if (text.charCodeAt(at) === dash) at++
    bytes[index] = (nibble(text.charCodeAt(at)) << 4) | nibble(text.charCodeAt(at + 1))
    at += 2
  }
  return bytes
}

const dash = 45

/** '0'–'9', 'a'–'f' and 'A'–'F' differ in the low bits as their values do. */
function nibble(code: number): number {
  return code <= 57 ? code - 48 : (code & 0x0f) + 9
}

/** The millisecond that an id was made in. */
export function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

const lastMs = 2 ** 48 - 1

/** The lowest id that can be made in a millisecond, or later. */
export function firstId(ms: number): string {
  const digits = Math.min(lastMs, Math.max(0, Math.floor(ms)))
    .toString(16)
    .padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`
}

/** No id is higher. */
export const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
