/** Decodes an HTML answer as browsers do: byte order mark, then the header's charset, then the document's own. */
export function decodeHtml(bytes: Uint8Array, contentType: string | undefined): string {
  const label = labelOfMark(bytes) ?? labelOfHeader(contentType) ?? labelOfDocument(bytes)
  if (label !== null) {
    const decoder = decoderFor(label)
    if (decoder !== null) return decoder.decode(bytes)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

function labelOfMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return null
}

function labelOfHeader(contentType: string | undefined): string | null {
  const label = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType ?? '')?.[1]
  return label !== undefined && decoderFor(label) !== null ? label : null
}

/** The HTML standard's prescan looks at the first 1,024 bytes. */
function labelOfDocument(bytes: Uint8Array): string | null {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1024)).replace(/<!--[\s\S]*?(?:-->|$)/g, '')
  const label =
    /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([^"']+)/i.exec(head)?.[1] ??
    /<meta\s[^>]*?charset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(head)?.[1]
  if (label === undefined) return null
  // A document whose ASCII could be read is not in UTF-16, whatever it says.
  return /^utf-?16/i.test(label) ? 'utf-8' : label
}

function decoderFor(label: string): InstanceType<typeof TextDecoder> | null {
  try {
    return new TextDecoder(/^x-user-defined$/i.test(label) ? 'windows-1252' : label)
  } catch {
    return null
  }
}

const htmlTypes = new Set(['text/html', 'application/xhtml+xml'])

/** `null` when the header says nothing, so that the body has to tell. */
export function isHtmlType(contentType: string | undefined): boolean | null {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  return type === undefined || type === '' ? null : htmlTypes.has(type)
}

export function looksLikeHtml(bytes: Uint8Array): boolean {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 512))
  return /^(?:\xef\xbb\xbf)?\s*(?:<!--[\s\S]*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|script)\b/i.test(
    head,
  )
}
