import { parseDuration } from 'millrace'
import { UsageError } from './errors.ts'

/** What the environment and the flags say. */
export interface Settings {
  url: string
  host: string
  port: number
  /** Null: made at first start, and kept in `tokenFile`. */
  adminToken: string | null
  tokenFile: string
  config: string | null
}

export interface SharedFlags {
  json?: boolean
  url?: string
  config?: string
  host?: string
  port?: string
}

export function readSettings(flags: SharedFlags, env: NodeJS.ProcessEnv = process.env): Settings {
  return {
    url: flags.url ?? (env.MILLRACE_URL || 'file:.millrace/millrace.db'),
    host: flags.host ?? (env.HOST || '127.0.0.1'),
    port: readPort(flags.port ?? (env.PORT || '3000')),
    adminToken: readToken(env.ADMIN_TOKEN),
    tokenFile: '.millrace/admin-token',
    config: flags.config ?? null,
  }
}

function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError(`PORT must be a whole number from 0 to 65535, not '${text}'`)
}

function readToken(token: string | undefined): string | null {
  if (!token) return null
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new UsageError(
    'ADMIN_TOKEN must be printable ASCII without spaces, so that it fits into an HTTP header',
  )
}

/** A URL as it may be shown: without its password. */
export function shownUrl(url: string): string {
  return url
    .replace(/^([a-z]+:\/\/[^/:@]*):[^/@]*@/i, '$1:***@')
    .replace(/([?&](?:ssl)?password=)[^&#]*/gi, '$1***')
}

export function readWholeNumber(
  what: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
  throw new UsageError(`${what} must be a whole number from ${least} to ${most}, not '${text}'`)
}

/** In milliseconds, which may also be given as a plain number. */
export function readDuration(what: string, text: string): number {
  try {
    return parseDuration(/^\d+$/.test(text) ? Number(text) : text)
  } catch (error) {
    throw new UsageError(`${what}: ${(error as Error).message}`)
  }
}

const longestDrainMs = 86_400_000

/** How long a request may drain, by the flag or MILLRACE_DRAIN_BUDGET, an empty variable counting as none. */
export function readDrainBudget(
  flag: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): number | undefined {
  const what = flag === undefined ? 'MILLRACE_DRAIN_BUDGET' : '--drain-budget'
  const text = flag ?? (env.MILLRACE_DRAIN_BUDGET || undefined)
  if (text === undefined) return undefined
  const budgetMs = readDuration(what, text)
  if (Number.isInteger(budgetMs) && budgetMs >= 1 && budgetMs <= longestDrainMs) return budgetMs
  throw new UsageError(`${what} must be whole milliseconds from 1ms to 24h, such as 50s, not '${text}'`)
}
