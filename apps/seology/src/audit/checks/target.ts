/** Is the URL that a page points engines to (canonical, hreflang, sitemap) one they can index? */

import { classifyStatus } from '../../crawl/status-class.ts'
import type { LinkTarget } from '../context.ts'
import type { Cause, Verdict } from '../finding.ts'
import type { PageEntry, SiteModel } from '../site/model.ts'
import { isNetworkFailure, isServerError } from './fetch.ts'

export interface TargetFlaw {
  reason: 'blocked' | 'redirect' | 'status' | 'failed' | 'noindex' | 'canonicalised'
  status: number
  /** The finding on the target itself, if there is one: the root to repair. */
  causedBy?: Cause
  /** Set to `unverified` when the target would not talk to us. */
  verdict?: Verdict
}

/** Null when the target is an indexable page of its own; `unfetched` when nothing is known of it. */
export function targetFlaw(site: SiteModel, key: string, url: string): TargetFlaw | 'unfetched' | null {
  if (site.context.isInternal(url) && !site.context.auditedRobots(url).allowed) {
    return { reason: 'blocked', status: 0 }
  }
  const page = site.page(key)
  const answer = page ?? site.linkTarget(key)
  if (!answer || answer.error?.kind === 'robots' || answer.error?.kind === 'address-refused')
    return 'unfetched'
  const { status } = answer
  const linked = site.linkedUrl(key)
  if (answer.error?.kind === 'redirect-loop') {
    return { reason: 'redirect', status, ...because('redirect-loop', answer.url) }
  }
  if (page && isNetworkFailure(page))
    return { reason: 'failed', status, ...because('fetch-failed', page.url) }
  if (page && isServerError(page)) return { reason: 'status', status, ...because('http-5xx', page.url) }
  if (answer.error) return { reason: 'failed', status, verdict: 'unverified' }
  const kind = classifyStatus({ status })
  if (kind === 'auth' || kind === 'refused' || kind === 'throttled') {
    return { reason: 'status', status, verdict: 'unverified' }
  }
  if (status >= 400) return { reason: 'status', status, ...because('link-internal-broken', linked) }
  if (redirected(site, answer))
    return { reason: 'redirect', status, ...because('link-internal-redirect', linked) }
  if (status !== 200) return { reason: 'status', status }
  return page ? documentFlaw(site, page) : null
}

function redirected(site: SiteModel, answer: PageEntry | LinkTarget): boolean {
  return answer.hops.length > 0 && site.context.canonicalize(answer.finalUrl)?.key !== answer.key
}

function documentFlaw(site: SiteModel, page: PageEntry): TargetFlaw | null {
  const { status, state } = page
  if (page.clientRedirect) return { reason: 'redirect', status, ...because('redirect-client', page.url) }
  if (!state.htmlOk) return null
  if (state.noindex !== 'no') {
    const important = page.sitemap !== null || page.key === site.homeKey
    return { reason: 'noindex', status, ...because('noindex-important', important ? page.url : null) }
  }
  return state.canonical.kind === 'elsewhere' ? { reason: 'canonicalised', status } : null
}

function because(id: string, subject: string | null): { causedBy?: Cause } {
  return subject === null ? {} : { causedBy: { id, subject } }
}
