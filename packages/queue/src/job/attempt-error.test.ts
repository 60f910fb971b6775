import { describe, expect, it } from 'vitest'
import { describeError, fingerprint, storable } from './attempt-error.ts'

const circular: Record<string, unknown> = { code: 7 }
circular.self = circular

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('get')
    },
    getPrototypeOf() {
      throw new Error('getPrototypeOf')
    },
    ownKeys() {
      throw new Error('ownKeys')
    },
  },
)

function errorWith(properties: Record<string, PropertyDescriptor>): Error {
  return Object.defineProperties(new Error('it broke'), properties)
}

const broken = (): never => {
  throw new Error('even the getter is broken')
}

describe('what was thrown', () => {
  it('an error keeps its name, message and stack', () => {
    const error = new TypeError('x is not a function')
    expect(describeError(error)).toEqual({
      name: 'TypeError',
      message: 'x is not a function',
      stack: error.stack,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    })
  })

  it('an error tells its cause in the stack', () => {
    const cause = new Error('connect ECONNREFUSED')
    const { stack } = describeError(new Error('the mail was not sent', { cause }))
    expect(stack).toContain('[cause]: Error: connect ECONNREFUSED')
    expect(stack?.indexOf('the mail was not sent')).toBeLessThan(stack?.indexOf('[cause]') ?? -1)
  })

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'thrown value: undefined'],
    ['null', null, 'thrown value: null'],
    ['text', 'oops', 'thrown value: oops'],
    ['a number', 42, 'thrown value: 42'],
    ['a BigInt', 42n, 'thrown value: 42'],
    ['a symbol', Symbol('s'), 'thrown value: Symbol(s)'],
    ['an object', { code: 7, why: 'because' }, 'thrown value: {"code":7,"why":"because"}'],
    ['a list', [1, 2], 'thrown value: [1,2]'],
  ])('%s is told as a value', (_what, thrown, message) => {
    expect(describeError(thrown)).toMatchObject({ name: 'NonError', message, stack: null })
  })

  it.each<[string, unknown]>([
    ['a circular object', circular],
    ['a Proxy that throws at every touch', hostile],
    ['an object without a text form', { toJSON: broken }],
    ['an error whose message throws', errorWith({ message: { get: broken } })],
    ['an error whose stack throws', errorWith({ stack: { get: broken } })],
    ['an error whose name is a symbol', errorWith({ name: { value: Symbol('odd') } })],
    ['an error whose name has no text form', errorWith({ name: { value: { toString: broken } } })],
    ['an error whose cause is such a Proxy', new Error('it broke', { cause: hostile })],
    ['an error whose stack is a symbol', errorWith({ stack: { value: Symbol('s') } })],
    ['a revoked Proxy', revoked()],
    ['a function', () => 1],
    ['an object with no prototype', Object.create(null)],
  ])('%s is told somehow', (_what, thrown) => {
    const error = describeError(thrown)
    expect(typeof error.name).toBe('string')
    expect(error.name.length).toBeGreaterThan(0)
    expect(error.message.length).toBeGreaterThan(0)
    expect(error.stack === null || typeof error.stack === 'string').toBe(true)
    expect(error.fingerprint).toMatch(/^[0-9a-f]{16}$/)
  })

  it.each<[string, unknown, string]>([
    ['empty', '', 'Error'],
    ['of spaces', '  ', '  '],
    ['a number', 7, '7'],
    ['undefined', undefined, 'Error'],
    ['with a NUL', 'a\0b', 'a\ufffdb'],
  ])('a name that is %s becomes text', (_what, name, stored) => {
    expect(describeError(errorWith({ name: { value: name } })).name).toBe(stored)
  })

  it('huge texts are cut', () => {
    const thrown = errorWith({
      name: { value: 'N'.repeat(1_000_000) },
      message: { value: 'm'.repeat(10_000_000) },
      stack: { value: 's'.repeat(10_000_000) },
    })
    const { name, message, stack } = describeError(thrown)
    expect([name.length, message.length, stack?.length]).toEqual([200, 4_000, 16_000])
    expect(message.endsWith('m…')).toBe(true)
    expect(describeError('x'.repeat(10_000_000)).message).toHaveLength(4_000)
  })

  it('text that a database can not hold is mended', () => {
    const { message } = describeError(new Error('a\0b \ud800 c'))
    expect(message).toBe('a\ufffdb \ufffd c')
  })

  it('a pair of surrogates is not stored by half when the cut falls into it', () => {
    expect(storable('abc😀def', 5)).toBe('abc\ufffd…')
    expect(storable('abc', 3)).toBe('abc')
    expect(storable('abcd', 3)).toBe('ab…')
  })
})

/** An error as if thrown in `place`, at `line`. */
function thrownIn(place: string, line: number, message = 'it broke', name = 'Error'): string {
  const stack = `${name}: ${message}\n    at ${place} (/app/jobs/mail.ts:${line}:${line})\n    at run (/app/x.ts:1:1)`
  return fingerprint(name, message, stack)
}

describe('a fingerprint', () => {
  it.each([
    ['numbers', 'row 5 of 17 is bad', 'row 12345 of 9 is bad'],
    ['UUIDs', `job ${crypto.randomUUID()} is gone`, `job ${crypto.randomUUID().toUpperCase()} is gone`],
    ['object ids', 'no user 507f1f77bcf86cd799439011', 'no user 00000020f51bb4362eee2a4d'],
    ['addresses in memory', 'fault at 0x7ffdeadbeef', 'fault at 0x10'],
    ['ports and IP addresses', 'connect 10.0.0.1:5432', 'connect 192.168.178.2:80'],
    ['numbers of any size', 'tweet 20 is gone', 'tweet 1851234567890123456 is gone'],
    ['fractions', 'took 3 s', 'took 3.25 s'],
  ])('is the same for other %s', (_what, a, b) => {
    expect(fingerprint('Error', a, null)).toBe(fingerprint('Error', b, null))
  })

  it('is the same when the code has moved to other lines', () => {
    expect(thrownIn('sendMail', 10)).toBe(thrownIn('sendMail', 99))
    expect(thrownIn('async sendMail', 10)).toBe(thrownIn('sendMail', 10))
  })

  it('is the same for what Node itself throws on our behalf', () => {
    const stack = '\n    at connect (node:net:1:1)\n    at sendMail (/app/mail.ts:5:1)'
    const direct = '\n    at sendMail (/app/mail.ts:7:1)'
    expect(fingerprint('Error', 'refused', stack)).toBe(fingerprint('Error', 'refused', direct))
  })

  it.each<[string, [string, string, string | null], [string, string, string | null]]>([
    ['names', ['TypeError', 'it broke', null], ['RangeError', 'it broke', null]],
    ['messages', ['Error', 'it broke', null], ['Error', 'it bent', null]],
    [
      'places',
      ['Error', 'x', 'Error: x\n    at sendMail (/a.ts:1:1)'],
      ['Error', 'x', 'Error: x\n    at readMail (/a.ts:1:1)'],
    ],
  ])('differs for other %s', (_what, a, b) => {
    expect(fingerprint(...a)).not.toBe(fingerprint(...b))
  })

  it('tells two real errors of two functions apart, and groups those of one', () => {
    const send = (id: number): unknown => describeError(thrown(() => fail(id))).fingerprint
    const read = (id: number): unknown => describeError(thrown(() => crash(id))).fingerprint
    expect(send(1)).toBe(send(22))
    expect(send(1)).not.toBe(read(1))
  })

  it('is made of a huge message without delay', () => {
    const message = 'a1'.repeat(5_000_000)
    expect(describeError(new Error(message)).fingerprint).toBe(describeError(new Error(message)).fingerprint)
  })
})

function fail(id: number): never {
  throw new Error(`mail ${id} was not sent`)
}

function crash(id: number): never {
  throw new Error(`mail ${id} was not sent`)
}

function thrown(act: () => void): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
