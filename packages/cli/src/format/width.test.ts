import { describe, expect, it } from 'vitest'
import { clean, displayWidth, fit, pad } from './width.ts'

describe('clean', () => {
  it('takes escape sequences out', () => {
    expect(clean('\x1b[31mred\x1b[0m \x1b]8;;https://evil.test\x07link\x1b]8;;\x07')).toBe('red link')
  })

  it('shows other control characters as replacement characters', () => {
    expect(clean('a\x00b\x7fc\x9bd\u202ee')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde')
  })

  it('keeps everything on one line', () => {
    expect(clean('a\r\n\tb')).toBe('a b')
  })
})

describe('displayWidth', () => {
  it.each([
    ['abc', 3],
    ['äöü', 3],
    ['e\u0301', 1],
    ['日本', 4],
    ['👩‍💻', 2],
    ['', 0],
  ])('of %s is %d', (text, width) => {
    expect(displayWidth(text)).toBe(width)
  })
})

describe('fit', () => {
  it.each([
    ['hello', 5, 'hello'],
    ['hello', 4, 'hel…'],
    ['hello', 1, '…'],
    ['hello', 0, ''],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['ab cd', 4, 'ab…'],
  ])('%s in %d columns is %s', (text, columns, shown) => {
    expect(fit(text, columns)).toBe(shown)
    expect(displayWidth(fit(text, columns))).toBeLessThanOrEqual(columns)
  })
})

describe('pad', () => {
  it('counts columns, not characters', () => {
    expect(pad('日', 4)).toBe('日  ')
    expect(pad('7', 3, 'right')).toBe('  7')
  })
})
