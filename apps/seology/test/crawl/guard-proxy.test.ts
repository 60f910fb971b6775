import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { startGuardProxy } from '../../src/crawl/guard-proxy.ts'
import { startSite } from './site.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function setUp() {
  let lookups = 0
  const site = await startSite({
    '/': (_, response) =>
      response.writeHead(200, ['X-A', '1', 'X-A', '2', 'Content-Type', 'text/html']).end('hello'),
  })
  const proxy = await startGuardProxy(
    createAddressGuard({
      alsoAllow: ['127.0.0.1'],
      // The first answer is harmless, every later one is not.
      resolver: async () => [{ address: ++lookups === 1 ? '127.0.0.1' : '10.1.2.3', family: 4 }],
    }),
  )
  closers.push(proxy.close, site.close)
  return { site, proxy, lookups: () => lookups }
}

interface Answer {
  status: number
  rawHeaders: string[]
  body: string
}

const get = (proxyPort: number, url: string) =>
  new Promise<Answer>((resolve, reject) => {
    request({ port: proxyPort, path: url, host: '127.0.0.1' }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', chunk => (body += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, rawHeaders: response.rawHeaders, body }),
      )
    })
      .on('error', reject)
      .end()
  })

/** The proxy's first line, then all that follows `send`. */
const tunnel = (proxyPort: number, authority: string, send = '') =>
  new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(proxyPort, '127.0.0.1', () =>
      socket.write(`CONNECT ${authority} HTTP/1.1\r\n\r\n`),
    )
    socket.setEncoding('utf8').on('data', chunk => {
      if (text === '' && send !== '') socket.write(send)
      text += chunk
    })
    socket.on('close', () => resolve(text)).on('error', reject)
  })

describe('what is public passes', () => {
  it('by request, header lines untouched', async () => {
    const { site, proxy } = await setUp()
    const answer = await get(proxy.port, `${site.origin}/`)
    expect(answer).toMatchObject({ status: 200, body: 'hello' })
    expect(answer.rawHeaders.join(' ')).toContain('X-A 1 X-A 2')
  })

  it('by tunnel', async () => {
    const { site, proxy } = await setUp()
    const text = await tunnel(
      proxy.port,
      `127.0.0.1:${site.port}`,
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    expect(text).toMatch(/^HTTP\/1.1 200 Connection Established/)
    expect(text).toContain('hello')
  })
})

describe('what is not is refused', () => {
  it.each(['127.0.0.2', '[::1]', '10.0.0.1', '169.254.169.254'])('%s', async host => {
    const { proxy } = await setUp()
    const answer = await get(proxy.port, `http://${host}:81/`)
    expect(answer.status).toBe(502)
    expect(answer.rawHeaders.join(' ')).toContain(`${proxy.markHeader} ${proxy.mark} address-refused`)
    expect(proxy.failure(`${host}:81`)?.kind).toBe('address-refused')
    expect(await tunnel(proxy.port, `${host}:82`)).toMatch(/^HTTP\/1.1 502/)
    expect(proxy.failure(`${host}:82`)?.kind).toBe('address-refused')
  })

  it('a name whose second answer is private', async () => {
    const { site, proxy, lookups } = await setUp()
    expect(await get(proxy.port, `http://rebind.example:${site.port}/`)).toMatchObject({ status: 200 })
    expect(lookups()).toBe(1)
    expect(await tunnel(proxy.port, `rebind.example:${site.port}`)).toMatch(/^HTTP\/1.1 502/)
    expect(proxy.failure(`rebind.example:${site.port}`)?.kind).toBe('address-refused')
  })

  it('a request for the proxy itself', async () => {
    const { proxy } = await setUp()
    expect((await get(proxy.port, '/')).status).toBe(400)
  })
})

it('a host that does not answer is told as such', async () => {
  const { site, proxy } = await setUp()
  await site.close()
  expect((await get(proxy.port, `${site.origin}/`)).status).toBe(502)
  expect(proxy.failure(`127.0.0.1:${site.port}`)?.kind).toBe('connect')
})
