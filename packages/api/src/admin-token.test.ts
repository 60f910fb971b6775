import { describe, expect, it } from 'vitest'
import { bearerToken, tokenChecker } from './admin-token.ts'

describe('the admin token', () => {
  it('is read from a Bearer header, whatever the case of the scheme', () => {
    expect(bearerToken('Bearer abc')).toBe('abc')
    expect(bearerToken('bearer abc')).toBe('abc')
  })

  it.each([undefined, '', 'Bearer', 'Bearer ', 'Basic abc', 'abc', 'Bearer a b'])(
    'is not read from %j',
    header => {
      expect(bearerToken(header)).toBeNull()
    },
  )

  it('is compared whole', () => {
    const isRight = tokenChecker('secret')
    expect(['secret', 'secre', 'secrets', 'SECRET', ''].map(isRight)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })
})
