import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { type CrawlBrowser, launchCrawlBrowser } from '../../src/crawl/browser.ts'
import type { FetchedPage } from '../../src/crawl/page.ts'
import { type Handler, redirectTo, startSite, type TestSite } from './site.ts'

const { signal } = new AbortController()
const refusedPaths = ['/forbidden.js']
const typed =
  (type: string, body: string, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(200, { 'content-type': type, ...headers }).end(body)

let site: TestSite
let browser: CrawlBrowser

beforeAll(async () => {
  site = await startSite({
    '/': '<!doctype html><title>home</title><p>plain',
    '/script':
      '<title>raw</title><script>document.title = "rendered"; fetch("/data").then(r => r.text()).then(t => { document.body.innerHTML = "<h1>" + t + "</h1>" })</script>',
    '/data': typed('text/plain', 'from data'),
    '/late': '<p>a<script>setTimeout(() => document.body.append("late"), 400)</script>',
    '/chain': redirectTo('/chain2', 301),
    '/chain2': redirectTo('/', 302),
    '/loop': redirectTo('/loop2'),
    '/loop2': redirectTo('/loop'),
    '/endless': (request, response) => {
      const n = Number(new URL(request.url ?? '', 'http://x').searchParams.get('n'))
      response.writeHead(302, { location: `/endless?n=${n + 1}` }).end()
    },
    '/meta': '<title>A</title><meta http-equiv=refresh content="0;url=/b"><p>of a',
    '/refresh-header': typed('text/html', '<title>A</title><p>of a', { refresh: '0;url=/b' }),
    '/js-away': '<title>A</title><p>of a<script>location.replace("/b")</script>',
    '/click-away':
      '<title>A</title><form action=/b method=post></form><script>onload = () => document.forms[0].submit()</script>',
    '/b': '<title>B</title>',
    '/replaced':
      '<title>R</title><script>history.replaceState(null, "", "/p/?x=1#!/a")</script><a href=y>y</a>',
    '/assets': `<link rel=stylesheet href=/s.css><script src=/a.js></script><script src=/forbidden.js></script><img src=/i.png><img src=/gone.png>
      <script src="https://www.google-analytics.com/ga.js"></script><script>fetch("/write", { method: "POST", body: "x" }).catch(() => {})</script>`,
    '/assets2': '<link rel=stylesheet href=/s.css><p>again',
    '/s.css': typed('text/css', `p { color: red } /* ${'x'.repeat(2_000)} */`, {
      'cache-control': 'max-age=600',
    }),
    '/a.js': typed('text/javascript', `window.a = 1 // ${'x'.repeat(5_000)}`),
    '/forbidden.js': typed('text/javascript', 'window.b = 1'),
    '/i.png': typed('image/png', 'x'.repeat(5_000)),
    '/headers': (_, response) =>
      response
        .writeHead(200, [
          'Content-Type',
          'text/html',
          'X-Robots-Tag',
          'googlebot: nofollow',
          'X-Robots-Tag',
          'otherbot: noindex',
        ])
        .end('x'),
    '/pdf': typed('application/pdf', '%PDF-1.4'),
    '/zip': typed('application/zip', 'PK'),
    '/png': typed('image/png', 'x'),
    '/empty404': (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end(),
    '/no-content': (_, response) => response.writeHead(204).end(),
    '/500': (_, response) =>
      response.writeHead(500, { 'content-type': 'text/html' }).end('<title>oops</title>'),
    '/sjis': (_, response) =>
      response
        .setHeader('content-type', 'text/html')
        .end(Buffer.concat([Buffer.from('<meta charset=shift_jis><p>'), Buffer.from([0x93, 0xfa])])),
    '/reset': request => void request.socket.destroy(),
    '/store':
      '<p id=p></p><script>p.textContent = [document.cookie, localStorage.x].join("|"); document.cookie = "c=1"; localStorage.x = "1"; sessionStorage.x = "1"</script>',
    '/worker':
      '<p id=p>none</p><script>navigator.serviceWorker.register("/sw.js").then(() => { p.textContent = "registered" }, () => {})</script>',
    '/sw.js': typed('text/javascript', ''),
    '/dialogs':
      '<p id=p></p><script>alert(1); p.textContent = String(confirm(2)); window.open("/popup"); onbeforeunload = () => "stay"</script>',
    '/popup': '<p>popup',
    '/busy': '<p>before<script>setTimeout(() => { for (;;); }, 50)</script>',
    '/ticking': '<p id=p></p><script>setInterval(() => { p.textContent = Math.random() }, 50)</script>',
    '/hanging': '<img src=/never.png><p>text<script>1</script>',
    '/never.png': () => {},
    '/shadow':
      '<div id=h></div><script>h.attachShadow({ mode: "open" }).innerHTML = "<a href=/in-shadow>x</a>"</script>',
    '/huge': (_, response) => response.setHeader('content-type', 'text/html').end('x'.repeat(300_000)),
    '/hostile':
      '<p>text<script>Array.from = JSON.stringify = null; document.querySelectorAll = () => { throw 1 }; Object.defineProperty(Document.prototype, "baseURI", { get: () => "http://evil.example/" })</script>',
  })
  browser = await launchCrawlBrowser(
    {
      guard: createAddressGuard({ allowPrivate: true }),
      userAgent: 'TestBot/1.0 (+https://bot.example/)',
      settle: { networkQuietMs: 100, domQuietMs: 500, idleQuietMs: 50, capMs: 1_500 },
      maxBodyBytes: 200_000,
      mayLoad: url => !refusedPaths.includes(new URL(url).pathname),
    },
    signal,
  )
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await site?.close()
})

const render = (path: string, options = {}) => browser.fetchPage(site.origin + path, { signal, ...options })
const renderedHtml = (page: FetchedPage) => page.rendered?.html ?? ''

describe('a page', () => {
  it('comes raw and rendered', async () => {
    const page = await render('/script')
    expect(page).toMatchObject({
      mode: 'browser',
      status: 200,
      finalUrl: `${site.origin}/script`,
      error: null,
      hops: [],
    })
    expect(page.html).toContain('<title>raw</title>')
    expect(page.rendered).toMatchObject({
      baseUri: `${site.origin}/script`,
      settledBy: 'quiet',
      navigations: [],
    })
    expect(renderedHtml(page)).toContain('<title>rendered</title>')
    expect(renderedHtml(page)).toContain('<h1>from data</h1>')
    expect(page.ttfbMs).toBeGreaterThan(0)
  })

  it('counts its elements and its bytes', async () => {
    const page = await render('/')
    expect(renderedHtml(page)).toBe(
      '<!DOCTYPE html><html><head><title>home</title></head><body><p>plain</p></body></html>',
    )
    expect(page.rendered?.elementCount).toBe(5)
    expect(page.bodyBytes).toBe(42)
    expect(page.rendered?.transferBytes).toBeGreaterThan(42)
  })

  it('is waited for while a timer is to change it', async () => {
    expect(renderedHtml(await render('/late'))).toContain('late</body>')
  })

  it('keeps its identity through replaceState, and tells its new base', async () => {
    const page = await render('/replaced')
    expect(page).toMatchObject({ finalUrl: `${site.origin}/replaced`, rendered: { navigations: [] } })
    expect(page.rendered?.baseUri).toBe(`${site.origin}/p/?x=1#!/a`)
  })

  it('shows its open shadow roots as templates', async () => {
    expect(renderedHtml(await render('/shadow'))).toContain(
      '<template shadowrootmode="open"><a href="/in-shadow">x</a></template>',
    )
  })

  it('keeps raw header lines apart', async () => {
    const { headers } = await render('/headers')
    expect(headers.filter(([name]) => name === 'x-robots-tag').map(([, value]) => value)).toEqual([
      'googlebot: nofollow',
      'otherbot: noindex',
    ])
  })

  it('is decoded by its own charset', async () => {
    expect((await render('/sjis')).html).toContain('<p>日')
  })

  it('can not lie to the extraction', async () => {
    expect(await render('/hostile')).toMatchObject({
      error: null,
      rendered: { baseUri: `${site.origin}/hostile` },
    })
  })
})

describe('an answer that is no page', () => {
  it.each(['/pdf', '/zip', '/png'])('%s has no html', async path => {
    const page = await render(path)
    expect(page).toMatchObject({ status: 200, html: null, error: null })
    expect(page).not.toHaveProperty('rendered')
  })
  it('204 has none', async () => {
    expect(await render('/no-content')).toMatchObject({ status: 204, html: null, error: null })
  })
  it('an error page is told with its status', async () => {
    expect(await render('/500')).toMatchObject({ status: 500, error: null })
    expect(await render('/empty404')).toMatchObject({ status: 404, error: null })
  })
  it('a broken connection, a closed port and a body too large are told', async () => {
    expect(await render('/reset')).toMatchObject({ status: 0, error: { kind: 'reset' } })
    expect(await browser.fetchPage('http://127.0.0.1:1/', { signal })).toMatchObject({
      error: { kind: 'protocol' },
    })
    expect(await render('/huge')).toMatchObject({ html: null, error: { kind: 'too-large' } })
  })
})

describe('redirects', () => {
  it('are recorded hop by hop', async () => {
    expect(await render('/chain')).toMatchObject({
      finalUrl: `${site.origin}/`,
      status: 200,
      hops: [
        { url: `${site.origin}/chain`, status: 301, location: `${site.origin}/chain2` },
        { url: `${site.origin}/chain2`, status: 302, location: `${site.origin}/` },
      ],
    })
  })
  it.each(['/loop', '/endless?n=0'])('%s ends', async path => {
    expect(await render(path)).toMatchObject({ status: 302, html: null, error: { kind: 'redirect-loop' } })
  })
  it('to where robots.txt forbids are not followed', async () => {
    const page = await render('/chain', { mayFetch: async (url: string) => !url.endsWith('/chain2') })
    expect(page).toMatchObject({ hops: [{ status: 301 }], error: { kind: 'robots' } })
    expect(site.requests.filter(line => line === 'GET /chain2')).toHaveLength(1)
  })
  it.each(['/meta', '/refresh-header', '/js-away', '/click-away'])(
    '%s by the page itself are recorded, not followed',
    async path => {
      const page = await render(path)
      expect(page.rendered?.navigations).toEqual([{ from: site.origin + path, to: `${site.origin}/b` }])
      expect(renderedHtml(page)).toContain('<title>A</title>')
      expect(site.requests.some(line => line.endsWith(' /b'))).toBe(false)
    },
  )
})

describe('sub-resources', () => {
  it('are listed with type, status, bytes and why they were not loaded', async () => {
    const { rendered } = await render('/assets')
    const byUrl = Object.fromEntries(
      (rendered?.resources ?? []).map(({ url, ...rest }) => [url.replace(site.origin, ''), rest]),
    )
    expect(byUrl).toMatchObject({
      '/s.css': { type: 'stylesheet', status: 200 },
      '/a.js': { type: 'script', status: 200 },
      '/forbidden.js': { type: 'script', status: 0, blockedBy: 'robots' },
      '/i.png': { type: 'image', status: 200 },
      '/gone.png': { type: 'image', status: 404 },
      'https://www.google-analytics.com/ga.js': { type: 'script', status: 0, blockedBy: 'policy' },
      '/write': { type: 'fetch', status: 0, blockedBy: 'policy' },
    })
    expect(byUrl['/a.js']?.transferBytes).toBeGreaterThan(5_000)
    expect(site.requests.filter(line => /POST|forbidden/.test(line))).toEqual([])
  })

  it('from the cache count as if they were loaded', async () => {
    const styleOf = (page: FetchedPage) =>
      page.rendered?.resources.find(({ url }) => url.endsWith('/s.css'))?.transferBytes
    const [first, second] = [styleOf(await render('/assets2')), styleOf(await render('/assets2'))]
    expect(first).toBeGreaterThan(2_000)
    expect(second).toBe(first)
  })
})

describe('a page leaves no trace', () => {
  it('in cookies or storage for the next', async () => {
    expect(renderedHtml(await render('/store'))).toContain('<p id="p">|</p>')
    expect(renderedHtml(await render('/store'))).toContain('<p id="p">|</p>')
  })
  it('by a service worker', async () => {
    await render('/worker')
    expect(site.requests).not.toContain('GET /sw.js')
  })
  it('by dialogs and popups', async () => {
    expect(renderedHtml(await render('/dialogs'))).toContain('<p id="p">false</p>')
    expect(site.requests).not.toContain('GET /popup')
  })
})

describe('a page that never settles', () => {
  it.each(['/ticking', '/hanging'])('%s is taken as it is at the cap', async path => {
    expect(await render(path)).toMatchObject({ error: null, rendered: { settledBy: 'cap' } })
  })
  it('because its script never ends is stopped', { timeout: 20_000 }, async () => {
    const page = await render('/busy')
    expect(page).toMatchObject({ error: null, rendered: { settledBy: 'cap' } })
    expect(renderedHtml(page)).toContain('<p>before')
  })
})

it('four tabs render side by side', async () => {
  const pages = await Promise.all(Array.from({ length: 12 }, (_, n) => render(n % 2 ? '/' : '/script')))
  expect(pages.map(({ rendered }) => /<title>(\w+)/.exec(rendered?.html ?? '')?.[1])).toEqual(
    pages.map((_, n) => (n % 2 ? 'home' : 'rendered')),
  )
})
