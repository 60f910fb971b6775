import { describe, expect, it } from 'vitest'
import { crawlProgress } from './progress.ts'

describe('the progress of a crawl', () => {
  it('never falls back when the frontier grows, and stays between 10 and 90', () => {
    const told: [number, string][] = []
    const progress = crawlProgress((percent, message) => told.push([percent, message]))
    progress.page(1, 2, 'a')
    progress.page(2, 100, 'b')
    progress.page(100, 100, 'c')
    progress.link(1, 0, 'd')
    progress.audit()
    expect(told).toEqual([
      [45, 'page 1 of 2: a'],
      [45, 'page 2 of 100: b'],
      [80, 'page 100 of 100: c'],
      [88, 'link 1 of 1: d'],
      [90, 'judging the whole site'],
    ])
  })
})
