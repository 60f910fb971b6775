import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../engine/clock.ts'
import { formatId, type IdMaker, idMaker, idTime, isId, parseId } from './id.ts'

/** The example of RFC 9562, A.6: 2022-02-22T19:22:22Z. */
const example = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'
const exampleAt = Date.UTC(2022, 1, 22, 19, 22, 22)

/** A maker whose clock reads these instants one after another, and the last one from then on. */
function makerAt(...instants: number[]): IdMaker {
  let next = 0
  return idMaker(() => instants[Math.min(next++, instants.length - 1)] as number, systemRandom.fill)
}

const make = (count: number, maker: IdMaker): string[] => Array.from({ length: count }, () => maker())
const ascending = (ids: string[]): boolean =>
  ids.every((id, index) => index === 0 || (ids[index - 1] as string) < id)

describe('an id', () => {
  it('says that it is a UUIDv7 of the standard variant, whatever the random bits', () => {
    for (const bits of [0x00, 0x55, 0xaa, 0xff]) {
      const id = idMaker(
        () => exampleAt,
        bytes => bytes.fill(bits),
      )()
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
  })

  it('starts with the millisecond that it was made in', () => {
    expect(makerAt(exampleAt)().slice(0, 13)).toBe(example.slice(0, 13))
  })

  it('keeps its other bits random', () => {
    const random = Array.from({ length: 10 }, (_, index) => 0xa0 + index)
    const id = idMaker(
      () => exampleAt,
      bytes => bytes.set(random),
    )()
    expect(id.slice(21)).toBe('a3-a4a5a6a7a8a9')
  })

  it('tells its time for any instant from 1970 to 10889', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 2 }), at => {
        expect(idTime(makerAt(at)())).toBe(at)
      }),
    )
  })
})

describe('ids of one maker', () => {
  it('sort by creation within a millisecond, more than fit into it', () => {
    const ids = make(10_000, makerAt(exampleAt))
    expect(ascending(ids)).toBe(true)
    expect(idTime(ids[0] as string)).toBe(exampleAt)
    expect(idTime(ids.at(-1) as string)).toBeLessThan(exampleAt + 6)
  })

  it('sort by creation when the clock goes back, and keep the last millisecond meanwhile', () => {
    const maker = makerAt(exampleAt, exampleAt - 3_600_000, exampleAt - 1, exampleAt, exampleAt + 1)
    const ids = make(5, maker)
    expect(ascending(ids)).toBe(true)
    expect(ids.map(idTime)).toEqual([exampleAt, exampleAt, exampleAt, exampleAt, exampleAt + 1])
  })

  it('sort by creation on a clock that knows fractions of a millisecond', () => {
    const instants = Array.from({ length: 64 }, (_, index) => exampleAt + index / 100)
    expect(ascending(make(instants.length, makerAt(...instants)))).toBe(true)
  })

  it('sort by creation however the clock jumps, as text and as bytes', () => {
    const jumps = fc.array(fc.integer({ min: -100_000, max: 100_000 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(jumps, steps => {
        let at = exampleAt
        const ids = make(steps.length, makerAt(...steps.map(step => (at += step))))
        expect(ascending(ids)).toBe(true)
        const bytes = ids.map(parseId)
        expect(bytes.toSorted(Buffer.compare)).toEqual(bytes)
      }),
    )
  })
})

describe('the text form', () => {
  it('is the one of RFC 9562', () => {
    expect(Buffer.from(parseId(example)).toString('hex')).toBe(example.replaceAll('-', ''))
    expect(formatId(parseId(example))).toBe(example)
    expect(idTime(example)).toBe(exampleAt)
  })

  it('goes to bytes and back unchanged, for any 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
        const text = formatId(bytes)
        expect(isId(text)).toBe(true)
        expect(new Uint8Array(parseId(text))).toEqual(bytes)
        expect(formatId(parseId(text.toUpperCase()))).toBe(text)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['a number', '17'],
    ['text without dashes', example.replaceAll('-', '')],
    ['a dash elsewhere', '017f22e279b0-7cc3-98c4-dc0c-0c07398f'],
    ['a letter beyond f', example.replace('f', 'g')],
    ['one digit too many', `${example}0`],
    ['braces', `{${example}}`],
    ['a line break at the end', `${example}\n`],
    ['space around it', ` ${example} `],
  ])('%s is no id', (_what, text) => {
    expect(isId(text)).toBe(false)
  })
})
