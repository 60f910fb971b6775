export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** The value that `part` (0 to 1) of the numbers do not exceed. */
export function percentile(numbers: number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}

export function spread(numbers: number[]): [min: number, max: number] {
  return [round(Math.min(...numbers)), round(Math.max(...numbers))]
}

/** Three significant digits after the point are more than any of these deserves. */
export function round(number: number): number {
  return Math.abs(number) >= 1_000 ? Math.round(number) : Number(number.toPrecision(4))
}

export function shown(number: number): string {
  return round(number).toLocaleString('en-US', { maximumFractionDigits: 3 })
}

/** A clock that all processes of this machine share, in milliseconds. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function wait(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
