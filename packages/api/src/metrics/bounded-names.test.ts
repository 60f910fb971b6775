import { expect, it } from 'vitest'
import { BoundedNames } from './bounded-names.ts'

it('the first names are kept for good, all others are one', () => {
  const names = new BoundedNames(2)
  expect(['a', 'b', 'c', 'a', 'd', 'b'].map(name => names.label(name))).toEqual([
    'a',
    'b',
    'other',
    'a',
    'other',
    'b',
  ])
})
