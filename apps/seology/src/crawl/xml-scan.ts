/**
 * A streaming scanner for XML that must be well-formed. Lenient parsers, made for HTML, do not say what is wrong. There
 * are no entities beyond XML's own five and character references: none is ever expanded from a DTD.
 */
export interface XmlHandler {
  open(name: string, attributes: Map<string, string>, line: number): void
  close(name: string): void
  text(text: string): void
  /** A fault after which the document can still be read: a stray `&`, an unknown entity. */
  fault(detail: string, line: number): void
}

/** The document is not well-formed; nothing after this can be trusted. */
export class XmlFault extends Error {
  readonly line: number
  constructor(detail: string, line: number) {
    super(detail)
    this.name = 'XmlFault'
    this.line = line
  }
}

export interface XmlScanner {
  /** Throws `XmlFault`. */
  write(text: string): void
  end(): void
}

// Longer than any URL with its tag; without a limit one unclosed comment would hold a whole file in memory.
const maxTokenLength = 1_000_000

export function createXmlScanner(handler: XmlHandler): XmlScanner {
  const stack: string[] = []
  let buffer = ''
  let line = 1
  let hasRoot = false

  const fail = (detail: string): never => {
    throw new XmlFault(detail, line)
  }

  function consume(length: number): string {
    const token = buffer.slice(0, length)
    buffer = buffer.slice(length)
    return token
  }

  function countLines(text: string): void {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) line += 1
  }

  function text(raw: string, isLiteral: boolean): void {
    if (stack.length > 0)
      handler.text(isLiteral ? raw : decodeText(raw, detail => handler.fault(detail, line)))
    else if (raw.trim() !== '') fail('text outside the root element')
    countLines(raw)
  }

  /** Length of the token that begins with `<`, or -1 when it is not complete yet. */
  function tokenLength(): number {
    if (buffer.startsWith('<!--')) return endAt('-->', 4)
    if (buffer.startsWith('<![CDATA[')) return endAt(']]>', 9)
    if (buffer.startsWith('<?')) return endAt('?>', 2)
    if (buffer.startsWith('<!')) {
      const subset = buffer.indexOf('[')
      const end = buffer.indexOf('>')
      return subset >= 0 && (end < 0 || subset < end) ? endAt(']>', 2) : endAt('>', 2)
    }
    let quote = ''
    for (let at = 1; at < buffer.length; at++) {
      const character = buffer[at] ?? ''
      if (quote !== '') quote = character === quote ? '' : quote
      else if (character === '"' || character === "'") quote = character
      else if (character === '>') return at + 1
      else if (character === '<') fail('a tag is not closed')
    }
    return -1
  }

  function endAt(end: string, from: number): number {
    const at = buffer.indexOf(end, from)
    return at < 0 ? -1 : at + end.length
  }

  function token(raw: string): void {
    if (raw.startsWith('<![CDATA[')) {
      text(raw.slice(9, -3), true)
      return
    }
    if (raw.startsWith('</')) closeTag(raw.slice(2, -1).trim())
    else if (!raw.startsWith('<!') && !raw.startsWith('<?')) openTag(raw)
    countLines(raw)
  }

  function closeTag(name: string): void {
    const open = stack.pop()
    if (open !== name) fail(open === undefined ? `</${name}> closes nothing` : `</${name}> closes <${open}>`)
    handler.close(name)
  }

  function openTag(raw: string): void {
    const isEmpty = raw.endsWith('/>')
    const inner = raw.slice(1, isEmpty ? -2 : -1)
    const name = /^[\p{L}_:][\p{L}\p{N}_:.-]*/u.exec(inner)?.[0]
    if (name === undefined) return fail(`${raw.slice(0, 40)} is no tag`)
    if (stack.length === 0 && hasRoot) fail(`<${name}> follows the root element`)
    hasRoot = true
    handler.open(name, attributesOf(inner.slice(name.length), fail), line)
    if (isEmpty) handler.close(name)
    else stack.push(name)
    if (stack.length > 100) fail('elements are nested too deeply')
  }

  return {
    write(chunk) {
      buffer += chunk
      for (;;) {
        const start = buffer.indexOf('<')
        // A `&` at the very end may go on in the next chunk.
        if (start < 0) break
        if (start > 0) text(consume(start), false)
        const length = tokenLength()
        if (length < 0) break
        token(consume(length))
      }
      if (buffer.length > maxTokenLength) fail('an element or a text does not end')
    },
    end() {
      if (buffer.startsWith('<')) fail('the document ends inside a tag')
      text(consume(buffer.length), false)
      if (stack.length > 0) fail(`<${stack.at(-1)}> is not closed`)
      if (!hasRoot) fail('there is no element')
    },
  }
}

function attributesOf(text: string, fail: (detail: string) => never): Map<string, string> {
  const attributes = new Map<string, string>()
  const rest = text.replace(
    /\s+([^\s=<>"'/]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g,
    (_, name: string, a?: string, b?: string) => {
      attributes.set(
        name,
        decodeText(a ?? b ?? '', () => undefined),
      )
      return ''
    },
  )
  if (rest.trim() !== '') fail(`an attribute is malformed: ${rest.trim().slice(0, 40)}`)
  return attributes
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decodeText(raw: string, fault: (detail: string) => void): string {
  if (!raw.includes('&')) return raw
  return raw.replace(
    /&(?:#x([0-9a-f]{1,6});|#(\d{1,7});|([\w.-]*)(;?))/gi,
    (match, hex?: string, decimal?: string, name?: string, end?: string) => {
      if (hex !== undefined || decimal !== undefined) {
        const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
        if (code > 0 && code <= 0x10ffff) return String.fromCodePoint(code)
      } else if (end === ';' && name !== undefined && Object.hasOwn(named, name)) return named[name] ?? match
      fault(`${match.slice(0, 20)} is no entity that XML knows (a plain & is written &amp;)`)
      return match
    },
  )
}
