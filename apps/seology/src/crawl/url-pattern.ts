/**
 * The URL with numbers, ids and dates in its path replaced, plus its sorted parameter names:
 * `http://ex.com/p/{n}?page&sort`. URLs that a site generates from one template share it.
 */
export function urlPattern(fetchUrl: string): string {
  const url = new URL(fetchUrl)
  const path = url.pathname.split('/').map(segmentPattern).join('/')
  const names = [...new Set(url.searchParams.keys())].sort()
  return `${url.origin}${path}${names.length === 0 ? '' : `?${names.join('&')}`}`
}

function segmentPattern(segment: string): string {
  return segment
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '{id}')
    .replace(/(?<!\d)(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])(?:\1(?:0[1-9]|[12]\d|3[01]))?(?!\d)/g, '{date}')
    .replace(/(?<![0-9a-z])(?=[a-f]*\d)[0-9a-f]{8,}(?![0-9a-z])/gi, token =>
      /^\d+$/.test(token) ? '{n}' : '{id}',
    )
    .replace(/\d+/g, '{n}')
}
