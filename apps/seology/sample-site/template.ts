/** The frame around every page. */

import { escape, type Origins, type Page } from './page.ts'

const navigation: [href: string, name: string][] = [
  ['/shop/', 'Shop'],
  ['/workshops/', 'Workshops'],
  ['/journal/', 'Journal'],
  ['/gallery/', 'Gallery'],
  ['/about', 'About us'],
  ['/visit/en', 'Visit the studio'],
  ['/contact', 'Contact'],
]

/** The whole document. */
export function renderPage(page: Page, origins: Origins): string {
  const lang = page.lang === undefined ? 'en' : page.lang
  return `<!doctype html>
<html${lang === null ? '' : ` lang="${lang}"`}>
<head>
${head(page, origins)}
</head>
<body>
<header>
<a class="brand" href="/">Kiln &amp; Clay</a>
<nav aria-label="Main"><ul>
${navigation.map(([href, name]) => `<li><a href="${href}">${name}</a></li>`).join('\n')}
</ul></nav>
</header>
<main>
${page.main(origins)}
</main>
<footer>
<p>Kiln &amp; Clay, 4 Tannery Yard, Millbrook. Open Wednesday to Sunday, ten to five.</p>
<p><a href="/press">Press and stockists</a> · <a href="/members/">Members’ firing rota</a></p>
</footer>
${page.bodyEnd ?? ''}</body>
</html>
`
}

function head(page: Page, origins: Origins): string {
  const { canonical = own => own.own + page.path } = page
  const lines = [
    page.charset === false ? '' : '<meta charset="utf-8">',
    page.titleTags ?? `<title>${escape(page.title)}</title>`,
    page.viewport === false ? '' : '<meta name="viewport" content="width=device-width, initial-scale=1">',
    page.descriptionTag ?? `<meta name="description" content="${escape(page.description)}">`,
    page.robots ? `<meta name="robots" content="${page.robots}">` : '',
    page.openGraph === false ? '' : openGraph(page, origins),
    '<link rel="stylesheet" href="/assets/site.css">',
    '<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">',
    page.headBefore?.(origins) ?? '',
    canonical === null ? '' : `<link rel="canonical" href="${escape(canonical(origins))}">`,
    page.headAfter?.(origins) ?? '',
  ]
  return lines.filter(Boolean).join('\n')
}

function openGraph(page: Page, { own }: Origins): string {
  const values = {
    title: page.title,
    type: 'website',
    url: own + page.path,
    image: `${own}/images/${page.image ?? 'studio'}.svg`,
  }
  return Object.entries(values)
    .map(([name, value]) => `<meta property="og:${name}" content="${escape(value)}">`)
    .join('\n')
}
