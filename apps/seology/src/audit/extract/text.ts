/** Main text: normalising, counting, hashing, shingling. */

import { hash } from 'node:crypto'

/** Scripts written without spaces between words. */
const unspaced =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u

const segmenters = new Map<string, Intl.Segmenter>()

/** NFKC, case-folded, white space collapsed: what titles and texts are compared by. */
export function fold(text: string): string {
  // Upper before lower approximates full case folding: ß becomes ss, a final sigma a sigma.
  return text.normalize('NFKC').toUpperCase().toLowerCase().replace(/\s+/g, ' ').trim()
}

/** Words of a text; Chinese, Japanese, Thai and their like are segmented by dictionary. */
export function countWords(text: string, language: string): number {
  if (unspaced.test(text)) return segmentedWords(text, language).length
  let count = 0
  const word = /[\p{L}\p{N}][^\s]*/gu
  while (word.exec(text)) count++
  return count
}

export function textHash(folded: string): string {
  return hash('sha256', folded, 'hex')
}

/** Hashes of the text's three-word shingles (five characters where words aren't spaced), sorted, distinct. */
export function shingles(folded: string): number[] {
  const spaced = !unspaced.test(folded)
  const units = spaced ? (folded.match(/[\p{L}\p{N}][^\s]*/gu) ?? []) : [...folded.replace(/\s+/g, '')]
  const size = spaced ? 3 : 5
  const found = new Set<number>()
  const last = Math.max(units.length - size, 0)
  for (let start = 0; start <= last && units.length > 0; start++) {
    found.add(hash32(units.slice(start, start + size).join(' ')))
  }
  return [...found].sort((a, b) => a - b)
}

/** Jaccard similarity of two sorted, distinct lists; two empty texts are alike. */
export function jaccard(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 && b.length === 0) return 1
  let common = 0
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const left = a[i] as number
    const right = b[j] as number
    if (left === right) common++
    if (left <= right) i++
    if (right <= left) j++
  }
  return common / (a.length + b.length - common)
}

/** FNV-1a over UTF-16 units. */
function hash32(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}

function segmentedWords(text: string, language: string): string[] {
  const words: string[] = []
  for (const { segment, isWordLike } of segmenter(language).segment(text)) if (isWordLike) words.push(segment)
  return words
}

function segmenter(language: string): Intl.Segmenter {
  const primary = /^[a-z]{2,3}/i.exec(language)?.[0]?.toLowerCase() ?? 'en'
  let known = segmenters.get(primary)
  if (!known) segmenters.set(primary, (known = new Intl.Segmenter(primary, { granularity: 'word' })))
  return known
}
