/** What is no page: redirects, errors, robots.txt, sitemaps, style, pictures. */

import type { Answer, Defect, Origins, Page } from './page.ts'
import { livePlacesScript } from './content/workshops.ts'

export interface Special {
  path: string
  status: number
  location?: string
  /** Whether a crawl asks for it as a page. */
  crawled: boolean
  /** Whether the sitemap lists it, wrongly. */
  listed?: boolean
  defects: Defect[]
}

export const specials: Special[] = [
  { path: '/catalogue', status: 301, location: '/shop/', crawled: true, defects: ['link-internal-redirect'] },
  {
    path: '/old-shop',
    status: 301,
    location: '/store',
    crawled: true,
    defects: ['link-internal-redirect', 'redirect-chain'],
  },
  { path: '/store', status: 302, location: '/shop/', crawled: false, defects: [] },
  { path: '/loop-a', status: 302, location: '/loop-b', crawled: true, defects: ['redirect-loop'] },
  { path: '/loop-b', status: 302, location: '/loop-a', crawled: false, defects: [] },
  { path: '/shop/stock-level', status: 500, crawled: true, defects: ['http-5xx'] },
  {
    path: '/shop/discontinued-mug',
    status: 404,
    crawled: true,
    listed: true,
    defects: ['link-internal-broken', 'sitemap-url-bad'],
  },
  { path: '/journal/old-glaze-recipes', status: 410, crawled: true, defects: ['link-internal-broken'] },
  // A page that wants a password is neither right nor wrong.
  { path: '/members/', status: 401, crawled: true, defects: [] },
  // Disallowed by robots.txt, and listed all the same.
  { path: '/private/ledger', status: 200, crawled: false, listed: true, defects: ['sitemap-url-bad'] },
]

/** A rule that stands before any user agent belongs to nobody. */
export function robotsTxt({ own }: Origins): string {
  return `Disallow: /tmp/
User-agent: *
Disallow: /private/
Disallow: /assets/private/

Sitemap: ${own}/sitemap.xml
`
}

export function sitemapIndex({ own }: Origins): string {
  const files = ['/sitemap-pages.xml', '/sitemap-archive.xml']
  return xml(
    'sitemapindex',
    files.map(path => `<sitemap><loc>${own}${path}</loc></sitemap>`),
  )
}

export function pagesSitemap(pages: readonly Page[], { own }: Origins): string {
  const paths = [
    ...pages.filter(({ listed }) => listed !== false).map(({ path }) => path),
    ...specials.filter(({ listed }) => listed).map(({ path }) => path),
  ]
  return xml(
    'urlset',
    paths.map(path => `<url><loc>${own}${path}</loc><lastmod>2026-03-14</lastmod></url>`),
  )
}

/** Lists a page of another site, which only that site may do. */
export function archiveSitemap({ own, external }: Origins): string {
  return xml('urlset', [
    `<url><loc>${own}/journal/archive</loc></url>`,
    `<url><loc>${external}/essays/on-wheels</loc></url>`,
  ])
}

function xml(root: string, children: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<${root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${children.join('\n')}
</${root}>
`
}

/** Style, scripts and pictures; null for what there is not. */
export function asset(path: string): Answer | null {
  if (path === '/assets/site.css') return answer('text/css; charset=utf-8', style)
  if (path === '/assets/icon.svg') return answer('image/svg+xml', picture('icon', 32, 32))
  if (path === '/assets/live-places.js') return answer('text/javascript; charset=utf-8', livePlacesScript)
  if (path === '/assets/private/booking-widget.js') return answer('text/javascript', '/* books */\n')
  if (path === '/images/kiln-room-large.svg') return answer('image/svg+xml', sparks())
  const name = /^\/images\/([a-z0-9-]+)\.svg$/.exec(path)?.[1]
  return name ? answer('image/svg+xml', picture(name, 640, 360)) : null
}

function answer(type: string, body: string): Answer {
  return { status: 200, headers: { 'content-type': type }, body }
}

/** Bowl, vase, plate, mug. */
const vessels = [
  'M220 130 Q320 160 420 130 Q410 270 350 290 L290 290 Q230 270 220 130 Z',
  'M290 80 L350 80 Q345 120 390 170 Q430 240 370 295 L270 295 Q210 240 250 170 Q295 120 290 80 Z',
  'M170 230 Q320 270 470 230 Q450 285 320 290 Q190 285 170 230 Z',
  'M240 120 L380 120 L372 290 L248 290 Z M380 150 Q440 150 432 205 Q425 250 375 245 L376 225 Q410 228 412 200 Q415 172 379 172 Z',
]

/** A vessel on a ground; the name decides which and in what colour. */
function picture(name: string, width: number, height: number): string {
  let seed = 7
  for (const letter of name) seed = (seed * 31 + letter.charCodeAt(0)) % 99_991
  const hue = 18 + (seed % 40)
  const ground = `hsl(${hue + 15} 30% ${84 + (seed % 8)}%)`
  const clay = `hsl(${hue} ${22 + (seed % 30)}% ${34 + (seed % 22)}%)`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 640 360">
<rect width="640" height="360" fill="${ground}"/><rect y="290" width="640" height="70" fill="hsl(${hue} 22% 70%)"/>
<path d="${vessels[vesselOf(name) ?? seed % vessels.length]}" fill="${clay}"/>
</svg>
`
}

function vesselOf(name: string): number | undefined {
  if (/vase/.test(name)) return 1
  if (/plate|platter|dish/.test(name)) return 2
  return /mug|cup|jug/.test(name) ? 3 : undefined
}

/** One circle for each grain of salt: far more bytes than the picture is worth. */
function sparks(): string {
  let seed = 12_345
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return (seed / 2_147_483_648) * below
  }
  const grains = Array.from(
    { length: 2_400 },
    () =>
      `<circle cx="${random(640).toFixed(3)}" cy="${random(360).toFixed(3)}" r="${(0.3 + random(1.6)).toFixed(3)}" fill="hsl(${(18 + random(30)).toFixed(1)} 90% 60%)"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360" viewBox="0 0 640 360">
<rect width="640" height="360" fill="#17120f"/><path d="M290 360 L300 230 L340 230 L350 360 Z" fill="#3a2a22"/>
${grains.join('\n')}
</svg>
`
}

const style = `:root { --ink: #2b2420; --paper: #faf6f0; --line: #ddd0c0; --clay: #9a4f2e }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.05rem/1.65 Georgia, 'Times New Roman', serif }
header, main, footer { max-width: 46rem; margin: 0 auto; padding: 1.25rem }
header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: baseline; border-bottom: 1px solid var(--line) }
.brand { font-size: 1.35rem; font-weight: bold; text-decoration: none; color: var(--ink) }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: 0; padding: 0 }
a { color: var(--clay) }
h1 { line-height: 1.2; margin: 1.5rem 0 1rem }
h2 { line-height: 1.3; margin-top: 2rem }
.lead { font-size: 1.2rem }
img { max-width: 100%; height: auto; border-radius: .35rem }
figure { margin: 0 0 1.5rem }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; list-style: none; padding: 0 }
.cards li { border: 1px solid var(--line); border-radius: .35rem; padding: .8rem 1rem; background: #fff }
.cards span { display: block; font-size: .95rem; color: #6b5d52 }
.columns { columns: 3 }
.tiles { border-spacing: 2px; font-size: .55rem; color: #fff; display: block; overflow-x: auto }
.notice { padding: .5rem 1.25rem; background: #efe3d3 }
label { display: block } input, textarea { width: 100%; font: inherit; padding: .4rem; border: 1px solid var(--line) }
button { font: inherit; padding: .5rem 1.2rem; border: 0; border-radius: .35rem; background: var(--clay); color: #fff }
footer { margin-top: 2rem; border-top: 1px solid var(--line); font-size: .9rem; color: #6b5d52 }
`
