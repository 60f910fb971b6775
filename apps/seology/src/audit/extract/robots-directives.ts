/** Robots directives of `X-Robots-Tag` lines and robots metas, with the agents they address. */

import type { Origin, RobotsDirective } from '../facts.ts'

/** Directives written `name: value`; anything else before a colon is an agent's name. */
const valued = new Set(['unavailable_after', 'max-snippet', 'max-image-preview', 'max-video-preview'])

/** Meta names that address one search engine. */
export const robotsMetaNames: ReadonlySet<string> = new Set([
  'robots',
  'googlebot',
  'googlebot-news',
  'bingbot',
  'msnbot',
  'slurp',
  'duckduckbot',
  'yandex',
  'yandexbot',
  'baiduspider',
  'applebot',
])

/** One raw `X-Robots-Tag` line. Lines must not be joined: an agent's name governs the rest of its own line. */
export function parseRobotsHeader(line: string, fetchedAt: number): RobotsDirective[] {
  const rules: RobotsDirective[] = []
  let rule: RobotsDirective = { agent: '*', directives: [], origin: 'header' }
  for (const part of pieces(line)) {
    const agent = /^([a-z0-9_*-]+)\s*:\s*(.*)$/is.exec(part)
    const name = agent?.[1]?.toLowerCase()
    if (agent && name && !valued.has(name)) {
      rule = { agent: name, directives: [], origin: 'header' }
      rules.push(rule)
      rule.directives.push(...directive(agent[2] as string, fetchedAt))
    } else {
      if (rules.length === 0) rules.push(rule)
      rule.directives.push(...directive(part, fetchedAt))
    }
  }
  return rules.filter(({ directives }) => directives.length > 0)
}

/** A robots meta's content. */
export function parseRobotsMeta(
  name: string,
  content: string,
  origin: Origin,
  fetchedAt: number,
): RobotsDirective {
  const directives = pieces(content).flatMap(part => directive(part, fetchedAt))
  return { agent: name === 'robots' ? '*' : name, directives, origin }
}

/** Splits at commas, except those of a date after `unavailable_after:`. */
function pieces(text: string): string[] {
  return text.split(/,(?!\s*\d{1,2}[ -][a-z]{3})/i).flatMap(part => part.trim() || [])
}

/** Normalises one directive; a past `unavailable_after` means noindex. */
function directive(text: string, fetchedAt: number): string[] {
  const trimmed = text.trim().toLowerCase()
  if (trimmed === '') return []
  const date = /^unavailable_after\s*:\s*(.+)$/.exec(trimmed)
  if (!date) return [trimmed.replace(/\s*:\s*/, ':')]
  const at = Date.parse(date[1] as string)
  return Number.isFinite(at) && at < fetchedAt ? ['unavailable_after', 'noindex'] : ['unavailable_after']
}

/** Whether the agent must not follow links of the page. */
export function pageNofollow(rules: RobotsDirective[], agent: string): boolean {
  return rules.some(
    rule =>
      (rule.agent === '*' || rule.agent === agent) &&
      (rule.directives.includes('nofollow') || rule.directives.includes('none')),
  )
}
