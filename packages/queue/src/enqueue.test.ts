import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { defineJob, type Schema } from './definition.ts'
import { QueueError } from './engine/errors.ts'
import { type EnqueueOptions, newJob, readAnswer } from './enqueue.ts'
import { decodePayload } from './validate.ts'

const id = '01900000-0000-7000-8000-000000000000'
const mail = defineJob({
  type: 'MAIL',
  payload: z.object({ to: z.string(), copies: z.int().optional() }),
  queue: 'mail',
  priority: 3,
  maxAttempts: 7,
})
const enqueue = (options: EnqueueOptions = {}) => newJob(id, mail, { to: 'a@b.c' }, options)
const hashOf = (payload: unknown, job: typeof mail = mail): string | undefined =>
  newJob(id, job, payload as { to: string }, { idempotencyKey: 'k' }).idempotency?.bodyHash

function refusalOf(act: () => unknown): QueueError {
  try {
    act()
  } catch (error) {
    if (error instanceof QueueError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a new job', () => {
  it('takes its policy from the definition', () => {
    expect(enqueue()).toEqual({
      id,
      type: 'MAIL',
      queue: 'mail',
      tenant: '',
      priority: 3,
      payloadJson: '{"to":"a@b.c"}',
      delayMs: 0,
      runAt: null,
      maxAttempts: 7,
      idempotency: null,
    })
  })

  it('takes what its options say instead', () => {
    const runAt = new Date('2026-05-01T00:00:00Z')
    const job = enqueue({
      queue: 'fast',
      priority: 1,
      maxAttempts: 1,
      runAt,
      tenant: 'acme',
      idempotencyKey: 'k',
    })
    expect(job).toMatchObject({
      queue: 'fast',
      priority: 1,
      maxAttempts: 1,
      runAt: runAt.getTime(),
      tenant: 'acme',
      idempotency: { key: 'k', bodyHash: expect.stringMatching(/^[\w-]{43}$/) as string },
    })
  })

  it.each<[string, EnqueueOptions, number]>([
    ['milliseconds', { delay: 1_500 }, 1_500],
    ['text', { delay: '1h30m' }, 5_400_000],
    ['a fraction', { delay: 0.6 }, 1],
    ['nothing', { delay: 0 }, 0],
  ])('is delayed by %s', (_what, options, delayMs) => {
    expect(enqueue(options)).toMatchObject({ delayMs, runAt: null })
  })

  it.each<[string, Date | number, number]>([
    ['a Date', new Date(5), 5],
    ['epoch milliseconds', 1_700_000_000_000, 1_700_000_000_000],
    ['a fraction of one', 10.4, 10],
    ['an instant before 1970', -5, -5],
    ['the last instant of all', 253_402_300_799_999, 253_402_300_799_999],
  ])('runs at %s', (_what, runAt, at) => {
    expect(enqueue({ runAt }).runAt).toBe(at)
  })
})

describe('options that can not work', () => {
  it.each<[string, EnqueueOptions, RegExp]>([
    ['a queue with a space', { queue: 'a b' }, /^queue "a b" is not a usable name/],
    ['an empty queue', { queue: '' }, /^queue "" is not/],
    ['priority 0', { priority: 0 }, /^priority must be/],
    ['priority 11', { priority: 11 }, /^priority must be/],
    ['no attempt', { maxAttempts: 0 }, /^maxAttempts must be/],
    [
      'an invalid Date',
      { runAt: new Date(Number.NaN) },
      /^runAt must be a Date or epoch milliseconds .* not Invalid Date/,
    ],
    ['runAt NaN', { runAt: Number.NaN }, /^runAt .* not NaN/],
    ['runAt beyond the year 9999', { runAt: 253_402_300_800_000 }, /^runAt/],
    ['runAt before the year 0', { runAt: -62_167_219_200_001 }, /^runAt/],
    ['runAt as text', { runAt: '2026-05-01' as never }, /^runAt .* not 2026-05-01/],
    ['runAt null', { runAt: null as never }, /^runAt .* not null/],
    ['a negative delay', { delay: -1 }, /^delay: '-1' is not a duration/],
    ['a delay in words', { delay: 'soon' }, /^delay: 'soon' is not a duration/],
    ['a delay of NaN', { delay: Number.NaN }, /^delay/],
    ['a delay beyond the calendar', { delay: 8.64e15 }, /^delay/],
    ['a delay beyond 2^53', { delay: 1e18 }, /^delay/],
    ['a delay beyond 64 bits', { delay: 1e300 }, /^delay/],
    ['an empty tenant', { tenant: '' }, /^tenant must be text of 1 to 200 characters/],
    ['a tenant of 201 characters', { tenant: 't'.repeat(201) }, /^tenant must be/],
    ['a tenant with NUL', { tenant: 'a\0' }, /^tenant holds characters that a database can not store/],
    ['a tenant with half a pair', { tenant: '\ud800' }, /^tenant holds characters/],
    ['a number as tenant', { tenant: 7 as never }, /^tenant must be text/],
    ['an empty idempotency key', { idempotencyKey: '' }, /^idempotencyKey must be text of 1 to 500/],
    ['a key of 501 characters', { idempotencyKey: 'k'.repeat(501) }, /^idempotencyKey must be/],
    ['a key with NUL', { idempotencyKey: '\0' }, /^idempotencyKey holds characters/],
  ])('%s: refused', (_what, options, says) => {
    const refusal = refusalOf(() => enqueue(options))
    expect(refusal.code).toBe('invalid-argument')
    expect(refusal.message).toMatch(says)
  })
})

describe('the body’s hash', () => {
  it('is the same for the same payload, in whatever order and form its members come', () => {
    const hash = hashOf({ to: 'a', copies: 2 })
    expect(hashOf({ copies: 2, to: 'a' })).toBe(hash)
    expect(hashOf({ copies: 2.0, to: 'a', note: undefined })).toBe(hash)
  })

  it('differs for another payload and for another type', () => {
    const other = defineJob({ ...mail, type: 'LETTER' }) as unknown as typeof mail
    const hashes = [
      hashOf({ to: 'a' }),
      hashOf({ to: 'b' }),
      hashOf({ to: 'a', copies: 1 }),
      hashOf({ to: 'a' }, other),
    ]
    expect(new Set(hashes).size).toBe(4)
  })

  it('does not depend on the policy', () => {
    const changed = newJob(
      id,
      mail,
      { to: 'a' },
      { idempotencyKey: 'k', priority: 1, queue: 'q', tenant: 't' },
    )
    expect(changed.idempotency?.bodyHash).toBe(hashOf({ to: 'a' }))
  })
})

/** The same schema twice: a default, a transformation, and a check that both give. */
const schemas: [string, Schema<{ url: string; pages?: number }, { url: string; pages: number }>][] = [
  [
    'zod',
    z.object({
      url: z.url().transform(url => new URL(url).hostname),
      pages: z.int().max(10_000).default(100),
    }),
  ],
  [
    'valibot',
    v.object({
      url: v.pipe(
        v.string(),
        v.url(),
        v.transform(url => new URL(url).hostname),
      ),
      pages: v.optional(v.pipe(v.number(), v.integer(), v.maxValue(10_000)), 100),
    }),
  ],
]

describe.each(schemas)('a payload’s schema of %s', (_vendor, payload) => {
  const job = defineJob({ type: 'CRAWL', payload })

  it('stores the input, and applies defaults and transformations when the job is claimed', () => {
    const { payloadJson } = newJob(id, job, { url: 'https://example.com/a' }, {})
    expect(payloadJson).toBe('{"url":"https://example.com/a"}')
    expect(decodePayload(job, payloadJson)).toEqual({ url: 'example.com', pages: 100 })
  })

  it('refuses a payload with the path of each fault', () => {
    const refusal = refusalOf(() => newJob(id, job, { url: 'nowhere', pages: 10_001 }, {}))
    expect(refusal.code).toBe('invalid-payload')
    expect(refusal.faults.map(fault => fault.path)).toEqual([['url'], ['pages']])
    expect(refusal.message).toMatch(/^payload of CRAWL is refused: url: .+; pages: .+/)
  })
})

describe('an asynchronous schema', () => {
  const asynchronous: [string, Schema][] = [
    ['zod', z.object({ a: z.string().refine(async () => true) })],
    [
      'valibot',
      v.objectAsync({
        a: v.pipeAsync(
          v.string(),
          v.checkAsync(async () => true),
        ),
      }),
    ],
    ['anybody', { '~standard': { version: 1, vendor: 'test', validate: async value => ({ value }) } }],
  ]

  it.each(asynchronous)('of %s is refused', (_vendor, payload) => {
    const refusal = refusalOf(() => newJob(id, defineJob({ type: 'SLOW', payload }), { a: 'x' }, {}))
    expect(refusal.code).toBe('invalid-argument')
    expect(refusal.message).toMatch(/^the schema for the payload of SLOW is asynchronous/)
  })

  it('that fails later leaves no unhandled rejection, which would end the process', async () => {
    // Zod answers a promise even for a plain check, when that throws.
    const payload = z.object({ url: z.string().refine(url => new URL(url).protocol === 'https:') })
    const unhandled: unknown[] = []
    const listener = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', listener)
    expect(() => newJob(id, defineJob({ type: 'OPEN', payload }), { url: 'not a url' }, {})).toThrow(
      QueueError,
    )
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })
})

describe('the engine’s answer', () => {
  const job = enqueue()

  it('is heard as an id, new or known', () => {
    expect(readAnswer({ outcome: 'enqueued', id }, job)).toEqual({ id, duplicate: false })
    expect(readAnswer({ outcome: 'duplicate', id: 'earlier' }, job)).toEqual({
      id: 'earlier',
      duplicate: true,
    })
  })

  it('is thrown when the key was used for other work', () => {
    const refusal = refusalOf(() => readAnswer({ outcome: 'idempotency-conflict', id: 'earlier' }, job))
    expect(refusal.code).toBe('idempotency-conflict')
    expect(refusal.message).toContain('job earlier')
  })

  it('is thrown when the queue is full, with when to come back', () => {
    const refusal = refusalOf(() => readAnswer({ outcome: 'queue-full', queued: 10, limit: 10 }, job))
    expect(refusal).toMatchObject({ code: 'queue-full', retryAfterMs: 1_000 })
    expect(refusal.message).toBe('queue mail holds 10 jobs and takes no more than 10; try again later')
  })
})
