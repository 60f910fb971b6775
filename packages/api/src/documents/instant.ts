const iso = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i
/** The years 0 to 9999: beyond them ISO 8601 needs more digits, which RFC 3339 and most readers don't know. */
const [firstMs, lastMs] = [-62_167_219_200_000, 253_402_300_799_999]

/**
 * An instant as people and programs write it: ISO 8601 with its offset (`2026-11-23T14:00:00Z`), or milliseconds since
 * 1970. Null for anything else; a time without an offset is refused, as nobody can know which instant it means.
 */
export function parseInstant(value: string | number): number | null {
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= 0 && value <= lastMs ? value : null
  if (/^\d{1,16}$/.test(value)) return parseInstant(Number(value))
  const match = iso.exec(value)
  if (!match) return null
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number]
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null
  const ms = Date.parse(value.toUpperCase())
  return ms >= firstMs && ms <= lastMs ? ms : null
}

/** The instants of a page are often the same ones: jobs that came together, and are due when they came. */
let [latestMs, latestText] = [Number.NaN, '']

export function formatInstant(ms: number): string {
  if (ms !== latestMs) [latestMs, latestText] = [ms, new Date(ms).toISOString()]
  return latestText
}
