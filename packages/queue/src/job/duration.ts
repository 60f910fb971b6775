const units: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** `'90s'`, `'1h30m'`, `'7d'`, or a number of milliseconds. Throws a RangeError that says what is understood. */
export type Duration = number | string

export function parseDuration(duration: Duration): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return duration
  if (typeof duration === 'string' && /^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(duration)) {
    let totalMs = 0
    for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g))
      totalMs += Number(amount) * (units[unit as string] as number)
    if (Number.isFinite(totalMs)) return totalMs
  }
  throw new RangeError(
    `'${duration}' is not a duration: give milliseconds, or text like '500ms', '90s', '1h30m', '7d'`,
  )
}
