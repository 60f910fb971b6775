import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeError } from './attempt-error.ts'
import { type Backoff, fixed } from './backoff.ts'
import { decide, type Ending, NonRetryableError, type Outcome, RetryAfterError } from './decide.ts'

/** No wait of a job is longer than this. */
const longestWaitMs = 366 * 24 * 3_600_000
const earlier = { attempt: 2, maxAttempts: 3 }
const last = { attempt: 3, maxAttempts: 3 }

function threw(thrown: unknown): Ending & { kind: 'threw' } {
  return { kind: 'threw', thrown, error: describeError(thrown) }
}

function after(ending: Ending, policy: { attempt: number; maxAttempts: number; backoff?: Backoff }): Outcome {
  return decide(ending, { backoff: fixed(700), random: 0.5, ...policy })
}

function retryMs(thrown: unknown, backoff?: Backoff): number {
  const outcome = after(threw(thrown), { ...earlier, ...(backoff ? { backoff } : {}) })
  if (outcome.kind !== 'retry') throw new Error(`it is not retried but ${outcome.kind}`)
  return outcome.inMs
}

const failure = threw(new Error('it broke'))
const final = threw(new NonRetryableError('the address does not exist'))
const later = threw(new RetryAfterError(9_000, 'the API asks for patience'))

describe('what follows from an attempt’s end', () => {
  it.each<[string, Ending, Outcome, Outcome]>([
    [
      'returned',
      { kind: 'returned', resultJson: '{"ok":true}' },
      { kind: 'complete', resultJson: '{"ok":true}' },
      { kind: 'complete', resultJson: '{"ok":true}' },
    ],
    [
      'returned nothing',
      { kind: 'returned', resultJson: null },
      { kind: 'complete', resultJson: null },
      { kind: 'complete', resultJson: null },
    ],
    [
      'snoozed',
      { kind: 'snoozed', inMs: 5_000, reason: 'the door is shut' },
      { kind: 'snooze', inMs: 5_000, reason: 'the door is shut' },
      { kind: 'snooze', inMs: 5_000, reason: 'the door is shut' },
    ],
    [
      'was cancelled',
      { kind: 'cancelled', reason: 'asked to stop' },
      { kind: 'cancelled', reason: 'asked to stop' },
      { kind: 'cancelled', reason: 'asked to stop' },
    ],
    ['was released', { kind: 'released' }, { kind: 'release' }, { kind: 'release' }],
    [
      'threw',
      failure,
      { kind: 'retry', inMs: 700, error: failure.error },
      { kind: 'dead', error: failure.error },
    ],
    [
      'threw a NonRetryableError',
      final,
      { kind: 'dead', error: final.error },
      { kind: 'dead', error: final.error },
    ],
    [
      'threw a RetryAfterError',
      later,
      { kind: 'retry', inMs: 9_000, error: later.error },
      { kind: 'dead', error: later.error },
    ],
  ])('one that %s', (_what, ending, before, atLast) => {
    expect(after(ending, earlier)).toEqual(before)
    expect(after(ending, last)).toEqual(atLast)
  })

  it('an only attempt that threw is the last', () => {
    expect(after(failure, { attempt: 1, maxAttempts: 1 }).kind).toBe('dead')
  })

  it('an attempt beyond the last, after maxAttempts was lowered, is dead', () => {
    expect(after(failure, { attempt: 5, maxAttempts: 3 }).kind).toBe('dead')
  })

  it('a subclass of NonRetryableError is as final', () => {
    class InvalidAddress extends NonRetryableError {}
    expect(after(threw(new InvalidAddress('no such street')), earlier).kind).toBe('dead')
  })

  it.each([['undefined', undefined] as const, ['null', null] as const, ['text', 'oops'] as const])(
    'thrown %s is a failure like any other',
    (_what, thrown) => {
      expect(after(threw(thrown), earlier)).toMatchObject({ kind: 'retry', inMs: 700 })
    },
  )
})

describe('the wait before the next attempt', () => {
  it('is asked of the backoff with the attempt, what was thrown, and the random number', () => {
    const thrown = new Error('this one')
    const heard: unknown[] = []
    const backoff: Backoff = (...values) => heard.push(...values)
    decide(threw(thrown), { ...earlier, backoff, random: 0.125 })
    expect(heard).toEqual([2, thrown, 0.125])
  })

  it.each<[string, Backoff, number]>([
    ['throws', () => broken(), 1_000],
    ['answers NaN', () => Number.NaN, 1_000],
    ['answers a negative number', () => -1, 0],
    ['answers a huge number', () => 1e300, longestWaitMs],
  ])('is bounded when a custom backoff %s', (_what, backoff, inMs) => {
    expect(retryMs(new Error('it broke'), backoff)).toBe(inMs)
  })

  it.each([
    ['0 ms', 0, 0],
    ['a fraction', 10.6, 11],
  ])('is what a RetryAfterError asks for: %s', (_what, asked, inMs) => {
    expect(retryMs(new RetryAfterError(asked))).toBe(inMs)
  })

  it.each([
    ['a negative number', -1],
    ['NaN', Number.NaN],
    ['nothing', undefined as never],
  ])('is the backoff’s when a RetryAfterError holds %s', (_what, asked) => {
    expect(retryMs(new RetryAfterError(asked))).toBe(700)
  })

  it('is a whole number from 0 to 366 days, whatever a RetryAfterError asks for', () => {
    const asked = fc.oneof(fc.double(), fc.constantFrom(Number.POSITIVE_INFINITY, Number.MAX_VALUE, 1e18))
    fc.assert(
      fc.property(asked, ms => {
        const inMs = retryMs(new RetryAfterError(ms))
        expect(Number.isInteger(inMs) && inMs >= 0 && inMs <= longestWaitMs).toBe(true)
      }),
    )
  })

  it('is at most 366 days for a snooze too', () => {
    const snoozed: Ending = { kind: 'snoozed', inMs: 1e300, reason: 'see you' }
    expect(after(snoozed, earlier)).toMatchObject({ kind: 'snooze', inMs: longestWaitMs })
  })
})

it('the two errors are told apart by name, and carry a message and a cause', () => {
  const cause = new Error('429')
  const error = new RetryAfterError(5, undefined, { cause })
  expect(error).toMatchObject({
    name: 'RetryAfterError',
    message: 'retry later',
    retryAfterMs: 5,
    cause,
  })
  expect(new NonRetryableError('no', { cause })).toMatchObject({
    name: 'NonRetryableError',
    message: 'no',
    cause,
  })
})

function broken(): never {
  throw new Error('the backoff itself is broken')
}
