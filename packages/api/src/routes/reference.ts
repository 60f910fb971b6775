import type { BorderApp } from '../border/context.ts'
import { operations } from '../contract/index.ts'
import { openApi } from '../contract/openapi.ts'
import { referencePage } from '../reference/page.ts'
import { stylesheet } from '../reference/stylesheet.ts'
import { version } from '../version.ts'

const caching = { 'cache-control': 'public, max-age=300' }
/** Nothing but the page's own stylesheet may be loaded or run. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The contract, for programs and for people. */
export function mountReference(app: BorderApp): void {
  let document: string | null = null
  app.get('/openapi.json', c => {
    document ??= JSON.stringify(openApi(operations, version))
    return c.newResponse(document, 200, { 'content-type': 'application/json', ...caching })
  })

  let page: string | null = null
  app.get('/reference', c => {
    page ??= referencePage(openApi(operations, version))
    return c.newResponse(page, 200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': pagePolicy,
      ...caching,
    })
  })
  app.get('/reference/style.css', c =>
    c.newResponse(stylesheet, 200, { 'content-type': 'text/css; charset=utf-8', ...caching }),
  )
}
