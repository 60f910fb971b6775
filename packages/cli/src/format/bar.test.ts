import { describe, expect, it } from 'vitest'
import { formatBar } from './bar.ts'
import { displayWidth } from './width.ts'

const draw = (percent: number | null, columns: number, message = 'page 12 of 34: /products/a-long-name') => {
  const bar = formatBar({ percent, message, elapsedMs: 12_000 }, columns)
  return bar.percent + bar.done + bar.left + bar.rest
}

describe('formatBar', () => {
  it('shows percent, bar, time and message', () => {
    expect(draw(50, 80, 'page 12 of 34')).toBe(` 50 % ${'━'.repeat(15)}${'╌'.repeat(15)} 0:12  page 12 of 34`)
  })

  it('shows a dash while nothing is known', () => {
    expect(draw(null, 80)).toMatch(/^ {3}– {2}╌+ 0:12/)
  })

  it.each([200, 80, 40, 30, 20])('is narrower than %d columns', columns => {
    for (const percent of [null, 0, 33.3, 100, 250, -1])
      expect(displayWidth(draw(percent, columns))).toBeLessThan(columns)
  })

  it('is full at 100 and never more', () => {
    expect(draw(100, 80)).toContain('━'.repeat(30))
    expect(draw(250, 80, '')).toBe(draw(100, 80, ''))
  })
})
