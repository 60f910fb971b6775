import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { type CrawlBrowser, launchCrawlBrowser } from '../../src/crawl/browser.ts'
import { redirectTo, startSite, type TestSite } from './site.ts'

const { signal } = new AbortController()
const publicAddress = '127.0.0.1'
// Loopback, too, and so reachable from here: what is refused is refused by the guard alone.
const privateAddress = '127.0.0.2'

let site: TestSite
let secret: TestSite
let browser: CrawlBrowser
const reached: string[] = []

beforeAll(async () => {
  secret = await startSite({ '/': '<p>secret', '/i.png': 'x', '/a.js': 'window.stolen = 1' }, privateAddress)
  secret.server.on('connection', socket => reached.push(`${socket.remoteAddress}`))
  secret.server.on('request', request => reached.push(`${request.url}`))
  secret.server.on('upgrade', (request, socket) => {
    reached.push(`${request.url}`)
    socket.destroy()
  })
  const inside = `http://${privateAddress}:${secret.port}`
  const rebinding = `http://rebind.example:${secret.port}`
  const page = (body: string) => `<!doctype html><title>page</title>${body}`
  site = await startSite({
    '/': page('<p>fine'),
    '/image': page(`<img src="${inside}/i.png">`),
    '/script': page(`<script src="${inside}/a.js"></script>`),
    '/style': page(`<style>@import "${inside}/s.css"; p { background: url("${inside}/i.png") }</style><p>x`),
    '/iframe': page(`<iframe src="${inside}/"></iframe>`),
    '/hex': page(
      `<iframe src="http://0x7f000002:${secret.port}/"></iframe><img src="http://2130706434:${secret.port}/i.png">`,
    ),
    '/mapped': page(`<img src="http://[::ffff:7f00:2]:${secret.port}/i.png">`),
    '/fetch': page(`<script>fetch("${inside}/", { mode: "no-cors" }).catch(() => {})</script>`),
    '/xhr-https': page(`<script>fetch("https://${privateAddress}:${secret.port}/").catch(() => {})</script>`),
    '/websocket': page(`<script>new WebSocket("ws://${privateAddress}:${secret.port}/")</script>`),
    '/beacon': page(`<script>navigator.sendBeacon("${inside}/", "x")</script>`),
    '/event-source': page(`<script>new EventSource("${inside}/")</script>`),
    '/worker': page(
      `<script>new Worker(URL.createObjectURL(new Blob(['fetch("${inside}/", { mode: "no-cors" })'], { type: "text/javascript" })))</script>`,
    ),
    '/preload': page(
      `<link rel=preconnect href="${inside}"><link rel=dns-prefetch href="//rebind.example"><link rel=prefetch href="${inside}/">`,
    ),
    '/redirected-image': page('<img src=/to-secret>'),
    '/redirected-frame': page('<iframe src=/to-secret></iframe>'),
    '/rebound': page(
      `<img src="${rebinding}/i.png"><script>setTimeout(() => fetch("${rebinding}/", { mode: "no-cors" }).catch(() => {}), 100)</script>`,
    ),
    '/to-secret': redirectTo(`${inside}/`),
    '/meta-away': page(`<meta http-equiv=refresh content="0;url=${inside}/">`),
    '/js-away': page(`<script>location = "${inside}/"</script>`),
    '/popup': page(`<script>window.open("${inside}/")</script>`),
    '/rtc': page(
      `<p id=p></p><script>p.textContent = [typeof RTCPeerConnection, typeof WebTransport].join()
        const frame = document.createElement("iframe"); document.body.append(frame); p.textContent += "," + typeof frame.contentWindow.RTCPeerConnection</script>`,
    ),
  })
  browser = await launchCrawlBrowser(
    {
      guard: createAddressGuard({
        alsoAllow: [publicAddress],
        resolver: async host => {
          if (host !== 'rebind.example') throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
          return [{ address: privateAddress, family: 4 }]
        },
      }),
      userAgent: 'TestBot/1.0',
      settle: { networkQuietMs: 200, domQuietMs: 200, idleQuietMs: 200 },
    },
    signal,
  )
})
beforeEach(() => {
  reached.length = 0
})
afterAll(async () => {
  await browser?.close()
  await site?.close()
  await secret?.close()
})

const render = (path: string) =>
  browser.fetchPage(path.startsWith('http') ? path : site.origin + path, { signal })

describe('a public page', () => {
  it('is rendered', async () => {
    expect(await render('/')).toMatchObject({ status: 200, error: null })
  })

  it.each([
    '/image',
    '/script',
    '/style',
    '/iframe',
    '/hex',
    '/mapped',
    '/fetch',
    '/xhr-https',
    '/websocket',
    '/beacon',
    '/event-source',
    '/worker',
    '/preload',
    '/redirected-image',
    '/redirected-frame',
    '/rebound',
    '/meta-away',
    '/js-away',
    '/popup',
  ])('reaches nothing private by %s', async path => {
    expect(await render(path)).toMatchObject({ status: 200, error: null })
    expect(reached).toEqual([])
  })

  it.each(['/image', '/script', '/iframe', '/xhr-https'])(
    'is told what the guard refused: %s',
    async path => {
      const { rendered } = await render(path)
      expect(rendered?.resources).toMatchObject([{ status: 0, blockedBy: 'address-guard' }])
    },
  )

  it('has no peer-to-peer connections', async () => {
    expect((await render('/rtc')).rendered?.html).toContain('<p id="p">undefined,undefined,undefined</p>')
  })
})

it('all of these do reach it where the guard lets them', async () => {
  const open = await launchCrawlBrowser(
    {
      guard: createAddressGuard({
        allowPrivate: true,
        resolver: async () => [{ address: privateAddress, family: 4 }],
      }),
      userAgent: 'TestBot/1.0',
    },
    signal,
  )
  for (const path of [
    '/image',
    '/script',
    '/iframe',
    '/fetch',
    '/websocket',
    '/event-source',
    '/worker',
    '/redirected-frame',
    '/rebound',
  ]) {
    reached.length = 0
    await open.fetchPage(site.origin + path, { signal })
    expect([path, reached.length > 0]).toEqual([path, true])
  }
  await open.close()
})

describe('a navigation', () => {
  it.each([
    `http://${privateAddress}`,
    'http://0x7f.2',
    'http://[::ffff:127.0.0.2]',
    `https://${privateAddress}`,
    'http://rebind.example',
    'https://rebind.example',
  ])('to %s is refused', async origin => {
    expect(await render(`${origin}:${secret.port}/`)).toMatchObject({
      status: 0,
      html: null,
      error: { kind: 'address-refused' },
    })
    expect(reached).toEqual([])
  })

  it('is refused after a redirect', async () => {
    expect(await render('/to-secret')).toMatchObject({
      status: 302,
      hops: [{ status: 302 }],
      error: { kind: 'address-refused' },
    })
    expect(reached).toEqual([])
  })

  it('to a name that does not exist is a DNS failure', async () => {
    expect(await render('http://nowhere.example/')).toMatchObject({ error: { kind: 'dns' } })
    expect(await render('https://nowhere.example/')).toMatchObject({ error: { kind: 'dns' } })
  })
})
