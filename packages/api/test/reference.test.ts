import { openApi, operations, version } from '@millrace/api'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBrowser } from '../../../apps/seology/src/crawl/browser-path.ts'
import { startTestServer, type TestServer } from './sample-server.ts'

let api: TestServer
let page: string
beforeAll(async () => {
  api = await startTestServer({ worker: false })
  page = (await api.ask('/reference', { headers: { authorization: '' } })).body as unknown as string
})
afterAll(() => api[Symbol.asyncDispose]())

describe('the reference page', () => {
  it('is there for everybody, and may load nothing but its stylesheet', async () => {
    const { status, headers } = await api.ask('/reference', { headers: { authorization: '' } })
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self';/)
    expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=|https?:\/\//)
    const style = await api.ask('/reference/style.css', { headers: { authorization: '' } })
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
  })

  it('shows each operation with its path, who may, its replies and a call', () => {
    for (const { id, method, path, replies } of operations) {
      const shown = page.split(`<article id="${id}">`)[1]?.split('</article>')[0] ?? ''
      expect(shown).toContain(method.toUpperCase())
      expect(shown).toContain(path)
      expect(shown).toMatch(/class="who">For /)
      expect(shown).toContain('curl ')
      for (const status of Object.keys(replies)) expect(shown).toContain(`class="status">${status}<`)
    }
  })

  it('has every schema, and no link that leads nowhere', () => {
    const { components } = openApi(operations, version)
    for (const name of Object.keys(components.schemas)) expect(page).toContain(`id="schema-${name}"`)
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(match => match[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target)
  })

  it('names problems by where they are explained', async () => {
    const links = new Set([...page.matchAll(/href="(problems\/[^"]+)"/g)].map(match => match[1]))
    expect(links.size).toBeGreaterThan(10)
    for (const link of links) expect((await api.ask(`/${link}`)).status).toBe(200)
  })
})

describe('the reference page in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    const { path, env } = await findBrowser()
    browser = await chromium.launch({
      executablePath: path,
      env: { ...process.env, ...env } as Record<string, string>,
      chromiumSandbox: false,
      args: ['--no-sandbox'],
    })
  })
  afterAll(() => browser?.close())

  it.each([360, 1400])('fits %d pixels, in light and in dark, with everything unfolded', async width => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const tab = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
      const complaints: string[] = []
      tab.on('console', message => complaints.push(message.text()))
      tab.on('requestfailed', request => complaints.push(request.url()))
      await tab.goto(`${api.server.url}/reference`)
      const seen = (await tab.evaluate(`(() => {
        for (const details of document.querySelectorAll('main details')) details.open = true
        const { color, backgroundColor } = getComputedStyle(document.body)
        const nav = document.querySelector('nav li a').checkVisibility({ contentVisibilityAuto: true })
        return { scroll: document.scrollingElement.scrollWidth, color, backgroundColor, nav }
      })()`)) as { scroll: number; color: string; backgroundColor: string; nav: boolean }
      expect(complaints).toEqual([])
      expect(seen.scroll).toBeLessThanOrEqual(width)
      const [text, ground] = [seen.color, seen.backgroundColor].map(lightness) as [number, number]
      expect(colorScheme === 'light' ? ground - text : text - ground).toBeGreaterThan(150)
      expect(seen.nav).toBe(width === 1400)
      await tab.close()
    }
  })
})

/** Of `rgb(…)`: 0 to 255. */
function lightness(colour: string): number {
  const parts = (colour.match(/\d+/g) ?? []).slice(0, 3).map(Number)
  return parts.reduce((sum, part) => sum + part, 0) / 3
}
