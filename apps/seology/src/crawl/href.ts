import { parse as parseHost } from 'tldts'

// Country and brand domains that are, at the end of a relative href, far more often a file's extension.
const fileExtensions = new Set(
  'ai app as br cc class com dev doc in info is java la md mov mo ms mu name pa pl pm ps py rs sh so st to tt vi ws zip'
    .split(' ')
    .filter(suffix => suffix !== 'com' && suffix !== 'info'),
)

/**
 * A malformed href such as `ht!tp://x` or `www.example.com` that silently resolves to a relative path: reported and
 * never enqueued, since each page it leads to repeats it one level deeper.
 */
export function isSuspiciousHref(rawHref: string): boolean {
  const href = rawHref.replace(/[\t\n\r]/g, '').trim()
  if (href === '' || /^[/?#.\\]/.test(href) || URL.canParse(href)) return false
  const segment = href.split(/[/?#\\]/, 1)[0] ?? ''
  const rest = href.slice(segment.length)
  if (segment.includes(':')) return true
  if (/^https?;?$/i.test(segment) && /^[/\\]{1,2}/.test(rest)) return true
  if (/^www\d?\./i.test(segment)) return true
  return looksLikeHost(segment.slice(segment.lastIndexOf('@') + 1))
}

function looksLikeHost(name: string): boolean {
  if (!/^[^\s.][^\s]*\.[a-z]{2,}$/i.test(name)) return false
  const { isIcann, domain, publicSuffix } = parseHost(name)
  return isIcann === true && domain !== null && !fileExtensions.has((publicSuffix ?? '').toLowerCase())
}

/** A fragment that a script routes by (`#!/a`, `#/a`), unlike an anchor. */
export function isHashRoute(fragment: string): boolean {
  return fragment.startsWith('#!') || fragment.startsWith('#/')
}
