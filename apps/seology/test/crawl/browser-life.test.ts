import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { type CrawlBrowserOptions, launchCrawlBrowser } from '../../src/crawl/browser.ts'
import { startSite, type TestSite } from './site.ts'

let site: TestSite
let heard = () => {}

beforeAll(async () => {
  site = await startSite({
    '/': '<title>home</title>',
    '/slow': () => heard(),
    '/held': '<p>x<img src=/slow>',
  })
})
afterAll(() => site.close())

const launch = (signal: AbortSignal, options: Partial<CrawlBrowserOptions> = {}) =>
  launchCrawlBrowser(
    { guard: createAddressGuard({ allowPrivate: true }), userAgent: 'TestBot/1.0', ...options },
    signal,
  )

/** Process ids of a browser's group that still live (a zombie is dead). */
function alive(groupId: number): number[] {
  return execFileSync('ps', ['-eo', 'pid=,pgid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([, pgid, stat]) => Number(pgid) === groupId && !stat?.startsWith('Z'))
    .map(([pid]) => Number(pid))
}

const renderers = (groupId: number) =>
  execFileSync('ps', ['-eo', 'pid=,pgid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.includes('--type=renderer'))
    .map(line => line.trim().split(/\s+/).map(Number))
    .filter(([, pgid]) => pgid === groupId)
    .map(([pid]) => pid ?? 0)

/** Resolves when the server has been asked for `/slow`, which it never answers. */
function slowIsAsked(): Promise<void> {
  return new Promise(resolve => {
    heard = resolve
  })
}

describe('closing', () => {
  it('leaves no process behind, and can be repeated', async () => {
    const { signal } = new AbortController()
    const browser = await launch(signal)
    await browser.fetchPage(`${site.origin}/`, { signal })
    expect(alive(browser.pid).length).toBeGreaterThan(1)
    await Promise.all([browser.close(), browser.close()])
    expect(alive(browser.pid)).toEqual([])
    await expect(browser.fetchPage(`${site.origin}/`, { signal })).rejects.toMatchObject({
      code: 'browser-gone',
    })
  })

  it('in mid-page leaves none either', async () => {
    const { signal } = new AbortController()
    const browser = await launch(signal)
    const arrived = slowIsAsked()
    const page = browser.fetchPage(`${site.origin}/slow`, { signal })
    page.catch(() => undefined)
    await arrived
    await browser.close()
    expect(alive(browser.pid)).toEqual([])
    await expect(page).rejects.toMatchObject({ code: 'browser-gone' })
  })

  it('while a tab opens ends the page', async () => {
    const { signal } = new AbortController()
    const browser = await launch(signal, { closeTimeoutMs: 200 })
    const group = browser.pid
    // A browser that stands still never gets as far as opening it.
    for (const pid of alive(group)) process.kill(pid, 'SIGSTOP')
    const page = browser.fetchPage(`${site.origin}/`, { signal })
    await Promise.all([expect(page).rejects.toMatchObject({ code: 'browser-gone' }), browser.close()])
    expect(alive(group)).toEqual([])
  })

  it('of a stopped browser kills it', async () => {
    const { signal } = new AbortController()
    const browser = await launch(signal, { closeTimeoutMs: 200 })
    const group = browser.pid
    for (const pid of alive(group)) process.kill(pid, 'SIGSTOP')
    await browser.close()
    expect(alive(group)).toEqual([])
  })
})

describe('an abort', () => {
  it('ends the page with its reason and the browser with it', async () => {
    const abort = new AbortController()
    const browser = await launch(abort.signal)
    const arrived = slowIsAsked()
    const page = browser.fetchPage(`${site.origin}/slow`, { signal: abort.signal })
    await arrived
    abort.abort(new Error('enough'))
    await expect(page).rejects.toThrow('enough')
    await browser.close()
    expect(alive(browser.pid)).toEqual([])
  })

  it('of one page leaves the others', async () => {
    const { signal } = new AbortController()
    const one = new AbortController()
    const browser = await launch(signal, { concurrency: 1 })
    const arrived = slowIsAsked()
    const page = browser.fetchPage(`${site.origin}/slow`, { signal: one.signal })
    const next = browser.fetchPage(`${site.origin}/`, { signal })
    await arrived
    one.abort(new Error('not this one'))
    await expect(page).rejects.toThrow('not this one')
    expect(await next).toMatchObject({ status: 200 })
    await browser.close()
  })

  it('during the launch leaves nothing', async () => {
    const abort = new AbortController()
    const launching = launch(abort.signal)
    abort.abort(new Error('changed my mind'))
    await expect(launching).rejects.toThrow('changed my mind')
    const children = execFileSync('ps', ['-eo', 'ppid=,args='], { encoding: 'utf8' })
      .split('\n')
      .filter(
        line =>
          Number(line.trim().split(/\s+/)[0]) === process.pid && line.includes('--remote-debugging-pipe'),
      )
    expect(children).toEqual([])
  })
})

describe('a launch that fails', () => {
  it('says why', async () => {
    const { signal } = new AbortController()
    await expect(launch(signal, { executablePath: '/nowhere/chrome' })).rejects.toThrow(
      /no executable browser at/,
    )
    await expect(launch(signal, { executablePath: '/bin/false', launchTimeoutMs: 5_000 })).rejects.toThrow()
  })
})

describe('a crash', () => {
  it('of the browser while a tab opens is survived once', async () => {
    const { signal } = new AbortController()
    const browser = await launch(signal)
    const first = browser.pid
    for (const pid of alive(first)) process.kill(pid, 'SIGSTOP')
    const page = browser.fetchPage(`${site.origin}/`, { signal })
    process.kill(-first, 'SIGKILL')
    expect(await page).toMatchObject({ status: 200, error: null })
    expect(browser.pid).not.toBe(first)
    await browser.close()
  })

  it('of the browser in mid-page is survived once', async () => {
    const { signal } = new AbortController()
    const browser = await launch(signal, { concurrency: 2 })
    await browser.fetchPage(`${site.origin}/`, { signal })
    const first = browser.pid
    const arrived = slowIsAsked()
    const pending = browser.fetchPage(`${site.origin}/slow`, { signal })
    pending.catch(() => undefined)
    await arrived
    const again = slowIsAsked()
    process.kill(-first, 'SIGKILL')
    await again
    expect(browser.pid).not.toBe(first)
    expect(await browser.fetchPage(`${site.origin}/`, { signal })).toMatchObject({ status: 200 })
    process.kill(-browser.pid, 'SIGKILL')
    await expect(pending).rejects.toMatchObject({ code: 'browser-gone' })
    await expect(browser.fetchPage(`${site.origin}/`, { signal })).rejects.toMatchObject({
      code: 'browser-gone',
    })
    await browser.close()
    expect([...alive(first), ...alive(browser.pid)]).toEqual([])
  })

  it.each(['/slow', '/held'])('of a page is told, and the next page is rendered: %s', async path => {
    const { signal } = new AbortController()
    const browser = await launch(signal, { concurrency: 1 })
    await browser.fetchPage(`${site.origin}/`, { signal })
    const arrived = slowIsAsked()
    const pending = browser.fetchPage(site.origin + path, { signal })
    await arrived
    for (const pid of renderers(browser.pid)) process.kill(pid, 'SIGKILL')
    expect(await pending).toMatchObject({ error: { kind: 'browser' } })
    expect(await browser.fetchPage(`${site.origin}/`, { signal })).toMatchObject({ status: 200, error: null })
    await browser.close()
    expect(alive(browser.pid)).toEqual([])
  })
})
