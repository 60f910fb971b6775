/** Text that is HTML already. Everything else is escaped when it is put into some. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Child = Html | string | number | null | false | undefined | readonly Child[]

/** Makes HTML; what stands between is escaped, unless it was made by this too. */
export function html(parts: TemplateStringsArray, ...children: Child[]): Html {
  return new Html(
    parts.map((part, index) => part + (index < children.length ? show(children[index]) : '')).join(''),
  )
}

function show(child: Child): string {
  if (child instanceof Html) return child.text
  if (Array.isArray(child)) return child.map(show).join('')
  if (child === null || child === false || child === undefined) return ''
  return escape(String(child))
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** Text with `code` in it. */
export function prose(text: string): Html {
  const parts = text.split('`')
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

/** Children with something between them. */
export function joined(children: readonly Child[], between: string): Child[] {
  return children.flatMap((child, index) => (index === 0 ? [child] : [between, child]))
}
