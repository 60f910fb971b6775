import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { defineJob } from './definition.ts'
import { QueueError } from './engine/errors.ts'
import { Registry } from './registry.ts'

const payload = z.object({})
const mail = defineJob({ type: 'MAIL', payload, aliases: ['LETTER'] })
const crawl = defineJob({ type: 'CRAWL', payload })

function registryOf(...definitions: Parameters<Registry['add']>[0][]): Registry {
  const registry = new Registry()
  for (const each of definitions) registry.add(each)
  return registry
}

describe('a registry', () => {
  it('finds a definition by its type and by its aliases', () => {
    const registry = registryOf([mail, crawl])
    expect([registry.find('MAIL'), registry.find('LETTER'), registry.find('CRAWL')]).toEqual([
      mail,
      mail,
      crawl,
    ])
    expect(registry.get('LETTER')).toBe(mail)
  })

  it('lists each definition once, in the order in which they came', () => {
    expect(registryOf([mail], [crawl, mail], [mail]).all()).toEqual([mail, crawl])
  })

  it('takes the same definition any number of times', () => {
    expect(() => registryOf([mail, mail], [mail])).not.toThrow()
  })

  it('takes an alias that repeats its own type', () => {
    const job = defineJob({ type: 'A', payload, aliases: ['A', 'B', 'B'] })
    expect(registryOf([job]).find('B')).toBe(job)
  })

  it.each([
    ['type', defineJob({ type: 'MAIL', payload }), 'MAIL'],
    ['alias', defineJob({ type: 'POST', payload, aliases: ['LETTER'] }), 'LETTER'],
    ['alias against a type', defineJob({ type: 'POST', payload, aliases: ['MAIL'] }), 'MAIL'],
    ['type against an alias', defineJob({ type: 'LETTER', payload }), 'LETTER'],
  ])('refuses two definitions with one name: %s', (_what, other, name) => {
    const registry = registryOf([mail])
    expect(() => registry.add([other])).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: `two definitions claim the job type ${name}; give one another name`,
      }) as Error,
    )
    expect(registry.get(name)).toBe(mail)
  })

  it('takes nothing of a definition that it refuses', () => {
    const registry = registryOf([mail])
    const other = defineJob({ type: 'POST', payload, aliases: ['PARCEL', 'MAIL'] })
    expect(() => registry.add([other])).toThrow(QueueError)
    expect([registry.find('POST'), registry.find('PARCEL'), registry.all()]).toEqual([
      undefined,
      undefined,
      [mail],
    ])
  })
})

describe('an unknown type', () => {
  it('is refused with the known ones, sorted', () => {
    expect(() => registryOf([mail, crawl]).get('MIAL')).toThrow(
      expect.objectContaining({
        code: 'unknown-type',
        message: 'no job type "MIAL" is registered here; known: CRAWL, MAIL',
      }) as Error,
    )
  })

  it('is refused where none is known', () => {
    expect(() => new Registry().get('MAIL')).toThrow(/known: none/)
  })

  it.each(['constructor', '__proto__', 'toString', '', 'mail'])('%j is unknown', type => {
    const registry = registryOf([mail])
    expect(registry.find(type)).toBeUndefined()
    expect(() => registry.get(type)).toThrow(QueueError)
  })
})
