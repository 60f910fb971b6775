const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `850 ms`, `4.2 s`, `1 min 12 s`, `3 h 5 min`, `2 d 4 h` */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return two(seconds, 60, 'min', 's')
  if (seconds < 86_400) return two(Math.round(seconds / 60), 60, 'h', 'min')
  return two(Math.round(seconds / 3_600), 24, 'd', 'h')
}

function two(amount: number, each: number, large: string, small: string): string {
  const rest = amount % each
  return `${Math.floor(amount / each)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

/** `just now`, `12 s ago`, `3 min ago`, `in 2 h` */
export function formatAgo(at: number, now: number): string {
  const ms = Math.abs(now - at)
  if (ms < 1_000) return 'just now'
  const [amount, unit] =
    ms < minuteMs
      ? [ms / 1_000, 's']
      : ms < hourMs
        ? [ms / minuteMs, 'min']
        : ms < dayMs
          ? [ms / hourMs, 'h']
          : [ms / dayMs, 'd']
  const text = `${Math.floor(amount)} ${unit}`
  return at > now ? `in ${text}` : `${text} ago`
}

/** `0:07`, `12:34`, `1:02:03` */
export function formatStopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

/** `2026-11-23 14:00:05Z`: in UTC, as machines in different places write into one store. */
export function formatUtc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`
}
