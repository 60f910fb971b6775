/** What a check found, and how a check describes itself. */

/** Raised whenever a rule changes its meaning; stored with every finding. */
export const ruleVersion = 1

/** From "the site can't be reached or indexed" down to a mere observation. */
export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info'

export type Category =
  | 'fetch'
  | 'redirect'
  | 'security'
  | 'index'
  | 'robots'
  | 'canonical'
  | 'head'
  | 'hreflang'
  | 'content'
  | 'social'
  | 'link'
  | 'crawl'
  | 'sitemap'
  | 'media'
  | 'data'
  | 'perf'

/** Whose fault it is: one page's, one link target's (its sources are occurrences), or the site's. */
export type Scope = 'page' | 'link' | 'site'

/** Which HTML the facts came from. `raw` where `rendered` is preferred means lower confidence. */
export type Basis = 'raw' | 'rendered'

/**
 * `unverified` says that the subject could not be judged (a refused link check, an unfetched target). It never
 * opens, closes or scores an issue; only `fail` counts. Passes and inapplicable checks yield no finding.
 */
export type Verdict = 'fail' | 'unverified'

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** Free-form, JSON-serialisable proof; snippets are at most 300 characters, lists at most ten samples. */
export type Evidence = { [name: string]: Json }

/** Another finding that explains this one: fix that and this goes too. */
export interface Cause {
  id: string
  subject: string
}

/** One check's verdict on one subject. */
export interface Finding {
  /** The check's stable id, e.g. `title-missing`. */
  id: string
  severity: Severity
  category: Category
  scope: Scope
  /** A page's URL, a link's target (or its href as written, if it is no URL), an origin, a URL pattern. */
  subject: string
  /** The page to open in order to see it: the subject, or the first page that links there; null for site matters. */
  page: string | null
  /** Tells apart findings of one check on one subject, e.g. two blocked origins. */
  variant?: string
  verdict: Verdict
  evidence: Evidence
  advice: string
  /** How many times it occurs: the source pages of a link, the members of a cluster; else 1. */
  occurrences: number
  ruleVersion: number
  mode: Basis
  /** Epoch milliseconds of the observation; 0 where the finding rests on no single answer. */
  fetchedAt: number
  causedBy?: Cause
}

/** What a check needs to be true of its page before it is asked. */
export type Gate = 'answer' | 'html' | 'indexable'

/** Whether rendering matters: not at all, preferably (raw lowers confidence), or the check can't do without. */
export type Rendering = 'none' | 'preferred' | 'required'

/** The describing half of a check, the same for every stage. */
export interface CheckInfo {
  id: string
  category: Category
  /** The usual severity; an outcome may differ. */
  severity: Severity
  scope: Scope
  rendering: Rendering
  /** One imperative sentence. */
  advice: string
}

/** What a page check answers: nothing when the page passes. */
export interface Outcome {
  evidence: Evidence
  severity?: Severity
  verdict?: Verdict
  variant?: string
  causedBy?: Cause
}

/** What a site check answers, one for each subject that fails. */
export interface SubjectOutcome extends Outcome {
  subject: string
  page?: string | null
  occurrences?: number
  mode?: Basis
  fetchedAt?: number
}
