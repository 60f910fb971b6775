import { describe, expect, it } from 'vitest'
import { html, prose } from './html.ts'

const evil = `<script>alert("1 & '2'")</script>`

describe('html', () => {
  it('escapes text wherever it is put', () => {
    const { text } = html`<a title="${evil}">${[evil, html`<b>${evil}</b>`]}</a>`
    expect(text).not.toContain('<script>')
    expect(text).not.toMatch(/title="[^"]*"[^>]/)
    expect(
      text.match(/&lt;script&gt;alert\(&quot;1 &amp; &#39;2&#39;&quot;\)&lt;\/script&gt;/g),
    ).toHaveLength(3)
  })

  it('leaves out what is not there, and keeps a zero', () => {
    expect(html`${null}${undefined}${false}${0}`.text).toBe('0')
  })
})

describe('prose', () => {
  it('shows what stands in backticks as code, escaped', () => {
    expect(prose('say `a < b` here').text).toBe('say <code>a &lt; b</code> here')
  })
})
