import { type AddressInfo, createServer, type Server } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { systemClock } from '../../src/crawl/clock.ts'
import { createHttpClient, type HttpClient, type HttpClientOptions } from '../../src/crawl/http.ts'
import { createPacer } from '../../src/crawl/politeness.ts'
import { redirectTo, startSite, type TestSite } from './site.ts'

const { signal } = new AbortController()
const html =
  (body: Buffer, headers: Record<string, string> = {}) =>
  (_: unknown, response: { writeHead: Function }) =>
    response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(body)
const page = Buffer.from('<!doctype html><title>ü</title>')

let flaky = 0
const hanging = new Set<() => void>()
let heard = () => {}

let site: TestSite
let client: HttpClient
const clientOf = (options: Partial<HttpClientOptions> = {}) =>
  createHttpClient({
    guard: createAddressGuard({ alsoAllow: ['127.0.0.1'] }),
    userAgent: 'TestBot/1.0 (+https://bot.example/)',
    ...options,
  })

beforeAll(async () => {
  site = await startSite({
    '/': '<title>home</title>',
    '/chain': redirectTo('/chain2', 301),
    '/chain2': redirectTo('/?x=1#frag', 302),
    '/loop': redirectTo('/loop2'),
    '/loop2': redirectTo('/loop'),
    '/cookie': (request, response) =>
      request.headers.cookie === 'seen=1'
        ? response.setHeader('content-type', 'text/html').end('welcome')
        : response.writeHead(302, { location: '/cookie', 'set-cookie': 'seen=1; Path=/' }).end(),
    '/endless': (request, response) => {
      const n = Number(new URL(request.url ?? '', 'http://x').searchParams.get('n'))
      response.writeHead(302, { location: `/endless?n=${n + 1}` }).end()
    },
    '/nowhere': (_, response) => response.writeHead(302).end(),
    '/to-mail': redirectTo('mailto:a@b.c'),
    '/to-private': redirectTo('http://127.0.0.2:9/'),
    '/to-hex': redirectTo('http://0x7f.2:9/'),
    '/to-utf8': (_, response) =>
      response.writeHead(302, { location: Buffer.from('/é').toString('latin1') }).end(),
    '/%C3%A9': 'é',
    '/gzip': html(gzipSync(page), { 'content-encoding': 'gzip' }),
    '/br': html(brotliCompressSync(page), { 'content-encoding': 'br' }),
    '/deflate': html(deflateSync(page), { 'content-encoding': 'deflate' }),
    '/twice': html(brotliCompressSync(gzipSync(page)), { 'content-encoding': 'gzip, br' }),
    '/cut': html(gzipSync(page).subarray(0, 20), { 'content-encoding': 'gzip' }),
    '/coded': html(page, { 'content-encoding': 'secret' }),
    '/bomb': html(gzipSync(Buffer.alloc(3_000_000)), { 'content-encoding': 'gzip' }),
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
    '/echo': (request, response) =>
      response.setHeader('content-type', 'text/html').end(JSON.stringify(request.headers)),
    '/pdf': (_, response) => response.setHeader('content-type', 'application/pdf').end('%PDF'),
    '/untyped': (_, response) => response.end('<!-- x --><!DOCTYPE html><p>hi'),
    '/latin1': html(Buffer.from('<p>caf\xe9', 'latin1'), { 'content-type': 'text/html; charset=ISO-8859-1' }),
    '/meta-sjis': html(Buffer.concat([Buffer.from('<meta charset=shift_jis>'), Buffer.from([0x93, 0xfa])])),
    '/bom': html(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<p>é', 'utf16le')])),
    '/guess': html(Buffer.from('<p>\x93q\x94 \xe9', 'latin1')),
    '/reset': (request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': '100' }).write('<p>half')
      setImmediate(() => request.socket.resetAndDestroy())
    },
    '/flaky': (_, response) => {
      flaky += 1
      response.writeHead(flaky < 3 ? 503 : 200, { 'content-type': 'text/html', 'retry-after': '0' }).end('x')
    },
    '/hang': (_, response) => {
      hanging.add(() => response.end())
      heard()
    },
    '/slow-body': (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).write('<p>')
      hanging.add(() => response.end())
    },
    '/500': (_, response) => response.writeHead(500, { 'content-type': 'text/html' }).end('oops'),
  })
  client = clientOf()
})
afterAll(async () => {
  for (const end of hanging) end()
  await client.close()
  await site.close()
})

const get = (path: string, options = {}) =>
  client.fetchPage(path.startsWith('http') ? path : site.origin + path, { signal, ...options })

describe('an answer', () => {
  it('brings status, html, size and raw header lines', async () => {
    expect(await get('/')).toMatchObject({
      fetchUrl: `${site.origin}/`,
      finalUrl: `${site.origin}/`,
      mode: 'fetch',
      status: 200,
      html: '<title>home</title>',
      bodyBytes: 19,
      hops: [],
      attempts: 1,
      error: null,
    })
    const { headers } = await get('/headers')
    expect(headers.filter(([name]) => name === 'x-robots-tag')).toEqual([
      ['x-robots-tag', 'googlebot: nofollow'],
      ['x-robots-tag', 'otherbot: noindex'],
    ])
  })

  it.each(['/gzip', '/br', '/deflate', '/twice'])('%s is decoded', async path => {
    expect(await get(path)).toMatchObject({ html: page.toString(), bodyBytes: page.length, error: null })
  })

  it('names the crawler and carries no cookie', async () => {
    const sent = JSON.parse((await get('/echo')).html ?? '')
    expect(sent['user-agent']).toBe('TestBot/1.0 (+https://bot.example/)')
    expect(sent.cookie).toBeUndefined()
  })

  it.each([
    ['/latin1', '<p>café'],
    ['/meta-sjis', '<meta charset=shift_jis>日'],
    ['/bom', '<p>é'],
    ['/guess', '<p>“q” é'],
    ['/untyped', '<!-- x --><!DOCTYPE html><p>hi'],
  ])('%s is read in its charset', async (path, text) => expect((await get(path)).html).toBe(text))

  it('that is no HTML has none', async () => {
    expect(await get('/pdf')).toMatchObject({ status: 200, html: null, error: null })
  })

  it('with an error status keeps its body', async () => {
    expect(await get('/500')).toMatchObject({ status: 500, html: 'oops', attempts: 1, error: null })
  })
})

describe('redirects', () => {
  it('are recorded hop by hop', async () => {
    const { hops, finalUrl, status } = await get('/chain')
    expect(hops).toEqual([
      { url: `${site.origin}/chain`, status: 301, location: `${site.origin}/chain2` },
      { url: `${site.origin}/chain2`, status: 302, location: `${site.origin}/?x=1` },
    ])
    expect([finalUrl, status]).toEqual([`${site.origin}/?x=1`, 200])
  })

  it('that loop end', async () => {
    expect(await get('/loop')).toMatchObject({ status: 302, html: null, error: { kind: 'redirect-loop' } })
  })

  it('that never end end after ten', async () => {
    const { error, hops } = await get('/endless?n=0')
    expect(error?.kind).toBe('redirect-loop')
    expect(hops).toHaveLength(11)
  })

  it('that only loop without a cookie are tried again with it', async () => {
    expect(await get('/cookie')).toMatchObject({ status: 200, html: 'welcome', error: null })
  })

  it.each(['/nowhere', '/to-mail'])('%s leads nowhere and is the answer itself', async path => {
    expect(await get(path)).toMatchObject({ status: 302, hops: [], error: null })
  })

  it('in UTF-8 are understood', async () => {
    expect(await get('/to-utf8')).toMatchObject({ status: 200, finalUrl: `${site.origin}/%C3%A9` })
  })

  it('to where robots.txt forbids are not followed', async () => {
    const asked: string[] = []
    const mayFetch = async (url: string) => {
      asked.push(url)
      return false
    }
    expect(await get('/chain', { mayFetch })).toMatchObject({
      error: { kind: 'robots' },
      hops: [{ status: 301 }],
    })
    expect(asked).toEqual([`${site.origin}/chain2`])
  })
})

describe('addresses that are not public', () => {
  it.each(['/to-private', '/to-hex'])('are refused after a redirect: %s', async path => {
    expect(await get(path)).toMatchObject({ status: 302, error: { kind: 'address-refused' } })
  })

  it.each(['http://127.0.0.2:9/', 'http://2130706434:9/', 'http://[::1]:9/'])('are refused: %s', async url =>
    expect(await get(url)).toMatchObject({ status: 0, error: { kind: 'address-refused' } }),
  )

  it('a name is resolved once and connected to as it was judged', async () => {
    let lookups = 0
    const rebinding = clientOf({
      guard: createAddressGuard({
        alsoAllow: ['127.0.0.1'],
        resolver: async () => [{ address: ++lookups === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }],
      }),
    })
    const url = `http://rebind.example:${site.port}/`
    expect(await rebinding.fetchPage(url, { signal })).toMatchObject({ status: 200 })
    expect(lookups).toBe(1)
    await rebinding.close()
  })
})

describe('failures', () => {
  it.each([
    ['/reset', 'reset'],
    ['/cut', 'protocol'],
    ['/coded', 'protocol'],
  ])('%s is told as %s', async (path, kind) => {
    expect(await get(path)).toMatchObject({ html: null, error: { kind } })
  })

  it('a body that decodes to too much is cut off', async () => {
    const small = clientOf({ maxBodyBytes: 1_000_000 })
    const answer = await small.fetchPage(`${site.origin}/bomb`, { signal })
    expect(answer).toMatchObject({ html: null, error: { kind: 'too-large' } })
    expect(answer.bodyBytes).toBeLessThanOrEqual(1_000_000)
    await small.close()
  })

  it.each(['/hang', '/slow-body'])('%s times out', async path => {
    const hasty = clientOf({ totalTimeoutMs: 60 })
    expect(await hasty.fetchPage(site.origin + path, { signal })).toMatchObject({
      error: { kind: 'timeout' },
    })
    await hasty.close()
  })

  it('a closed port, an unknown name and no HTTP at all', async () => {
    const raw: Server = createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end('220 smtp ready\r\n', () => socket.destroy()))
    })
    await new Promise<void>(resolve => raw.listen(0, '127.0.0.1', resolve))
    const { port } = raw.address() as AddressInfo
    expect(await get(`http://127.0.0.1:${port}/`)).toMatchObject({ error: { kind: 'protocol' } })
    expect(await get(`https://127.0.0.1:${port}/`)).toMatchObject({ error: { kind: 'tls' } })
    await new Promise(resolve => raw.close(resolve))
    expect(await get(`http://127.0.0.1:${port}/`)).toMatchObject({ error: { kind: 'connect' } })
    const unknown = clientOf({
      guard: createAddressGuard({
        resolver: () =>
          Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })),
      }),
    })
    expect(await unknown.fetchPage('http://nowhere.example/', { signal })).toMatchObject({
      error: { kind: 'dns' },
    })
    await unknown.close()
  })

  it('that may pass are retried, and the attempts counted', async () => {
    expect(await get('/flaky', { maxAttempts: 3 })).toMatchObject({ status: 200, attempts: 3 })
    expect(await get('/500', { maxAttempts: 2, backoffMs: [0] })).toMatchObject({ status: 500, attempts: 2 })
    expect(await get('/loop', { maxAttempts: 3, backoffMs: [0] })).toMatchObject({ attempts: 1 })
  })
})

it('an abort ends a request at once, with its own reason', async () => {
  const abort = new AbortController()
  const arrived = new Promise<void>(resolve => (heard = resolve))
  const pending = get('/hang', { signal: abort.signal, maxAttempts: 3 })
  await arrived
  abort.abort(new Error('enough'))
  await expect(pending).rejects.toThrow('enough')
})

it('the pacer hears how each request went, and its refusal rejects', async () => {
  const pacer = createPacer({ clock: systemClock, maxConsecutiveFailures: 2 })
  const paced = clientOf({ pacer })
  await paced.fetchPage(`${site.origin}/500`, { signal })
  await paced.fetchPage(`${site.origin}/500`, { signal })
  expect(pacer.isStopped(site.origin)).toBe(true)
  await expect(paced.fetchPage(`${site.origin}/`, { signal })).rejects.toMatchObject({ code: 'host-stopped' })
  await paced.close()
})
