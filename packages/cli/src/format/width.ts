import { stripVTControlCharacters } from 'node:util'

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const wide =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/u
const plain = /^[\x20-\x7e]*$/

/** Text from jobs can hold escape sequences; a terminal must never obey them. Line breaks and tabs become spaces. */
export function clean(text: string): string {
  return cleanLines(text.replace(/[\t\r\n]+/g, ' '))
}

/** The same, keeping line breaks. */
export function cleanLines(text: string): string {
  return stripVTControlCharacters(text).replace(/(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

/** How many columns a terminal needs for a text without escape sequences. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/** The text, or as much of its beginning as fits, with an ellipsis. */
export function fit(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const { segment } of graphemes.segment(text)) {
    width += wide.test(segment) ? 2 : 1
    if (width > columns) break
    kept += segment
  }
  return columns > 0 ? `${kept.trimEnd()}…` : ''
}

export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, columns - displayWidth(text)))
  return align === 'left' ? text + spaces : spaces + text
}

/** Lines of at most so many columns, broken between words; one that is longer than a line has it for itself. */
export function wrap(text: string, columns: number): string[] {
  const wrapped: string[] = []
  for (const word of text.split(' ')) {
    const last = wrapped.at(-1)
    if (last !== undefined && displayWidth(last) + 1 + displayWidth(word) <= columns)
      wrapped[wrapped.length - 1] = `${last} ${word}`
    else wrapped.push(word)
  }
  return wrapped
}
