import { readRobotsLines } from './robots-lines.ts'
import { matchTarget, normalizeForMatch, patternMatches, type RobotsFlavour } from './robots-match.ts'

export type RobotsProblemKind =
  | 'html-body'
  | 'orphan-rule'
  | 'too-large'
  | 'line-too-long'
  | 'unknown-directive'
  | 'misspelled-directive'
  | 'missing-colon'
  | 'invalid-pattern'
  | 'invalid-sitemap'
  | 'invalid-crawl-delay'
  | 'not-utf8'

export interface RobotsProblem {
  kind: RobotsProblemKind
  /** 1-based; 0 for the whole file. */
  line: number
  text: string
}

export interface RobotsRuleLine {
  line: number
  text: string
}

export interface RobotsDecision {
  allowed: boolean
  /** The line that decided; null when no rule matched. */
  rule: RobotsRuleLine | null
}

export interface ParsedRobots {
  /** As RFC 9309 compares: encoded unreserved octets are decoded. */
  decide(url: string, token: string): RobotsDecision
  /** As Google's parser compares: literal octets, `index.html` in an Allow rule opens its directory. */
  decideLikeGoogle(url: string, token: string): RobotsDecision
  /** The delay asked of this token, uncapped; null when none is. */
  crawlDelayMs(token: string): number | null
  sitemaps: RobotsRuleLine[]
  problems: RobotsProblem[]
  /** Bytes as received, even beyond what was parsed. */
  sizeBytes: number
}

interface Rule {
  allow: boolean
  value: string
  at: RobotsRuleLine
}

interface CompiledRule {
  allow: boolean
  pattern: string
  octets: number
  at: RobotsRuleLine
}

interface Group {
  /** Lower case; `*` for everybody. */
  tokens: string[]
  rules: Rule[]
  crawlDelayMs: number | null
  closed: boolean
}

/** Reads a robots.txt as RFC 9309 says; it never fails, what is wrong is told in `problems`. */
export function parseRobots(body: Uint8Array | string): ParsedRobots {
  const { lines, problems, sizeBytes } = readRobotsLines(body)
  const groups: Group[] = []
  const sitemaps: RobotsRuleLine[] = []
  for (const { field, value, at } of lines) {
    const group = groups.at(-1)
    if (field === 'user-agent') {
      const token = productToken(value)
      if (group === undefined || group.closed)
        groups.push({ tokens: [token], rules: [], crawlDelayMs: null, closed: false })
      else group.tokens.push(token)
    } else if (field === 'allow' || field === 'disallow') {
      if (group === undefined) problems.push({ kind: 'orphan-rule', ...at })
      else addRule(group, { allow: field === 'allow', value, at }, problems)
    } else if (field === 'sitemap') {
      if (/^https?:\/\//i.test(value) && URL.canParse(value)) sitemaps.push({ line: at.line, text: value })
      else problems.push({ kind: 'invalid-sitemap', ...at })
    } else if (field === 'crawl-delay') {
      const seconds = Number(value.replace(',', '.'))
      if (value === '' || !Number.isFinite(seconds) || seconds < 0)
        problems.push({ kind: 'invalid-crawl-delay', ...at })
      // Like any record that is no rule, it does not close the group.
      else if (group !== undefined) group.crawlDelayMs = Math.max(group.crawlDelayMs ?? 0, seconds * 1000)
    }
  }

  const compiled = new Map<string, CompiledRule[]>()
  const rulesFor = (token: string, flavour: RobotsFlavour): CompiledRule[] => {
    const key = `${flavour} ${token}`
    const rules =
      compiled.get(key) ?? groupsFor(groups, token).flatMap(group => compile(group.rules, flavour))
    compiled.set(key, rules)
    return rules
  }

  return {
    decide: (url, token) => decide(rulesFor(token, 'rfc'), url, 'rfc'),
    decideLikeGoogle: (url, token) => decide(rulesFor(token, 'google'), url, 'google'),
    crawlDelayMs(token) {
      const delays = groupsFor(groups, token).flatMap(({ crawlDelayMs }) => crawlDelayMs ?? [])
      return delays.length === 0 ? null : Math.max(...delays)
    },
    sitemaps,
    problems: problems.sort((a, b) => a.line - b.line),
    sizeBytes,
  }
}

function addRule(group: Group, rule: Rule, problems: RobotsProblem[]): void {
  group.closed = true
  // An empty pattern matches nothing: `Disallow:` says that all is allowed.
  if (rule.value === '') return
  group.rules.push(rule)
  const misplacedAnchor = rule.value.slice(0, -1).includes('$')
  if (!/^[/*]/.test(rule.value) || misplacedAnchor) problems.push({ kind: 'invalid-pattern', ...rule.at })
}

/** `Googlebot/2.1 (+http://…)` names the token `googlebot`. */
function productToken(value: string): string {
  if (/^\*(?:\s|$)/.test(value)) return '*'
  return (/^[a-z_-]+/i.exec(value)?.[0] ?? value).toLowerCase()
}

/** All groups that name the token, merged; those for everybody only if none does. */
function groupsFor(groups: readonly Group[], token: string): Group[] {
  const named = groups.filter(group => group.tokens.includes(token.toLowerCase()))
  return named.length > 0 ? named : groups.filter(group => group.tokens.includes('*'))
}

function compile(rules: readonly Rule[], flavour: RobotsFlavour): CompiledRule[] {
  return rules.flatMap(rule => {
    const pattern = normalizeForMatch(rule.value, flavour)
    const compiled = { pattern, octets: pattern.length, allow: rule.allow, at: rule.at }
    const directory = /^(.*\/)index\.html?$/.exec(pattern)?.[1]
    if (flavour === 'rfc' || !rule.allow || directory === undefined) return [compiled]
    return [compiled, { ...compiled, pattern: `${directory}$`, octets: directory.length + 1 }]
  })
}

function decide(rules: readonly CompiledRule[], url: string, flavour: RobotsFlavour): RobotsDecision {
  const target = matchTarget(url, flavour)
  if (target === '/robots.txt') return { allowed: true, rule: null }
  let best: CompiledRule | null = null
  for (const rule of rules) {
    const wins =
      best === null || rule.octets > best.octets || (rule.octets === best.octets && rule.allow && !best.allow)
    if (wins && patternMatches(rule.pattern, target)) best = rule
  }
  return best === null ? { allowed: true, rule: null } : { allowed: best.allow, rule: best.at }
}
