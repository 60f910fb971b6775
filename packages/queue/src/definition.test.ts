import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { checkName, defineJob, type JobOptions, type Schema } from './definition.ts'
import { QueueError } from './engine/errors.ts'
import { defaultBackoff, fixed } from './job/backoff.ts'

type Options = Partial<JobOptions<string, Schema, Schema>>

const payload = z.object({})
const define = (options: Options = {}) => defineJob({ type: 'MAIL', payload, ...options })

function refusalOf(act: () => unknown): QueueError {
  try {
    act()
  } catch (error) {
    if (error instanceof QueueError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a definition', () => {
  it('has a policy without being told', () => {
    expect(define()).toEqual({
      type: 'MAIL',
      payload,
      result: undefined,
      queue: 'default',
      priority: 5,
      maxAttempts: 3,
      backoff: defaultBackoff,
      timeoutMs: 600_000,
      retention: {},
      aliases: [],
      maxPayloadBytes: 2 ** 20,
      usesSteps: false,
      searchAttributes: {},
    })
  })

  it('keeps what it is told', () => {
    const options = {
      type: 'SITE.CRAWL',
      payload,
      result: z.object({ pages: z.int() }),
      queue: 'crawl:eu-1',
      priority: 1,
      maxAttempts: 10_000,
      backoff: fixed(5),
      timeoutMs: null,
      retention: { dead: { maxCount: 5 } },
      aliases: ['CRAWL'],
      maxPayloadBytes: 100,
      usesSteps: true,
      searchAttributes: { site: () => 's1' },
    } as const
    expect(defineJob(options)).toEqual(options)
  })

  it('is frozen: a value that modules share', () => {
    const job = define()
    expect(() => Object.assign(job, { priority: 1 })).toThrow(TypeError)
  })

  it.each<[string, Options]>([
    ['priority 1', { priority: 1 }],
    ['priority 10', { priority: 10 }],
    ['a single attempt', { maxAttempts: 1 }],
    ['a timeout of less than a millisecond', { timeoutMs: 0.5 }],
    ['a retention that keeps nothing', { retention: { completed: { maxCount: 0, maxAgeMs: 0 } } }],
  ])('takes %s', (_what, options) => {
    expect(() => define(options)).not.toThrow()
  })
})

describe('a name', () => {
  it.each(['a', '7', 'SEND_MAIL', 'site.crawl', 'eu:crawl-2', 'A'.repeat(128), 'constructor'])(
    '%s is usable',
    name => {
      expect(checkName('queue', name)).toBe(name)
    },
  )

  it.each<[string, unknown]>([
    ['empty', ''],
    ['too long', 'A'.repeat(129)],
    ['with a space', 'send mail'],
    ['with a slash', 'send/mail'],
    ['with a line break', 'MAIL\n'],
    ['with a NUL', 'MA\0IL'],
    ['with an accent', 'Post-für-Äpfel'],
    ['an emoji', '📮'],
    ['starting with a dash', '-mail'],
    ['starting with a dot', '.mail'],
    ['starting with an underscore', '_mail'],
    ['__proto__', '__proto__'],
    ['with a quote', "MAIL'"],
    ['a number', 7],
    ['null', null],
    ['a list', ['MAIL']],
  ])('%s is refused as type, as queue and as alias', (_what, name) => {
    const bad = name as string
    const asType = refusalOf(() => define({ type: bad }))
    expect(asType.code).toBe('invalid-argument')
    expect(asType.message).toMatch(/^job type .* is not a usable name: 1 to 128 letters, digits/)
    expect(refusalOf(() => define({ aliases: ['FINE', bad] })).message).toMatch(
      /^alias .* is not a usable name/,
    )
    expect(refusalOf(() => checkName('queue', bad)).message).toMatch(/^queue .* is not a usable name/)
  })

  it('is shown as it was given', () => {
    expect(refusalOf(() => define({ queue: 'two words\n' })).message).toContain('queue "two words\\n"')
  })
})

describe('a policy that can not work', () => {
  it.each<[string, Options, RegExp]>([
    ['priority 0', { priority: 0 }, /priority must be a whole number from 1 \(first\) to 10 \(last\), not 0/],
    ['priority 11', { priority: 11 }, /not 11/],
    ['priority 1.5', { priority: 1.5 }, /not 1.5/],
    ['priority NaN', { priority: Number.NaN }, /not NaN/],
    ['priority as text', { priority: '5' as never }, /priority must be/],
    ['no attempt', { maxAttempts: 0 }, /maxAttempts must be a whole number from 1 to 10000, not 0/],
    ['less than no attempt', { maxAttempts: -1 }, /not -1/],
    ['half an attempt', { maxAttempts: 2.5 }, /not 2.5/],
    ['attempts without end', { maxAttempts: Number.POSITIVE_INFINITY }, /not Infinity/],
    ['10,001 attempts', { maxAttempts: 10_001 }, /not 10001/],
    ['no time', { timeoutMs: 0 }, /MAIL: timeoutMs must be above 0, or null for no limit/],
    ['negative time', { timeoutMs: -5 }, /timeoutMs/],
    ['a timeout of NaN', { timeoutMs: Number.NaN }, /timeoutMs/],
    ['a payload of NaN bytes', { maxPayloadBytes: Number.NaN }, /maxPayloadBytes/],
    ['a payload of less than nothing', { maxPayloadBytes: -1 }, /maxPayloadBytes/],
    // A count of NaN would prune everything, and a setting that is not set reads as NaN.
    ['a retention count of NaN', { retention: { dead: { maxCount: Number.NaN } } }, /dead\.maxCount/],
    ['a negative retention count', { retention: { dead: { maxCount: -1 } } }, /dead\.maxCount/],
    ['a retention age of NaN', { retention: { completed: { maxAgeMs: Number.NaN } } }, /completed\.maxAgeMs/],
    ['a negative retention age', { retention: { cancelled: { maxAgeMs: -1 } } }, /cancelled\.maxAgeMs/],
  ])('%s is refused', (_what, options, says) => {
    const refusal = refusalOf(() => define(options))
    expect(refusal.code).toBe('invalid-argument')
    expect(refusal.message).toMatch(says)
  })
})
