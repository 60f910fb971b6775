import { describe, expect, it } from 'vitest'
import { isQueueError } from '../engine/errors.ts'
import type { StepRecord, StepState } from '../engine/step.ts'
import { StepLedger } from './step-ledger.ts'

function stored(name: string, ordinal: number, state: StepState = 'completed'): StepRecord {
  return {
    name,
    ordinal,
    kind: 'run',
    state,
    resultJson: null,
    error: null,
    attempt: 1,
    epoch: 1,
    startedAt: 0,
    endedAt: 0,
    wakeAt: null,
    due: false,
    signal: null,
    childId: null,
  }
}

/** Goes through steps one after the other, as a handler that awaits each. */
function inOrder(ledger: StepLedger, ...names: string[]): void {
  for (const name of names) {
    const place = ledger.begin(name, 'run')
    ledger.find(place)
    ledger.end()
  }
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (isQueueError(error, 'steps-changed') || isQueueError(error, 'invalid-argument')) return error.message
    throw error
  }
  return 'none'
}

describe('a handler’s steps', () => {
  it('that are as they were are found', () => {
    const ledger = new StepLedger()
    ledger.load([stored('a', 1), stored('b', 2)])
    inOrder(ledger, 'a', 'b', 'c')
    expect(refusal(() => ledger.checkEnd())).toBe('none')
  })

  it.each([
    ['renamed', ['a', 'x'], /step 2 was "b" and is now "x"/],
    ['in another order', ['b'], /step 1 was "a" and is now "b"/],
    ['more by one in between', ['a', 'new', 'b'], /step 2 was "b" and is now "new"/],
  ])('that are %s are told', (_how, names, message) => {
    const ledger = new StepLedger()
    ledger.load([stored('a', 1), stored('b', 2)])
    expect(refusal(() => inOrder(ledger, ...names))).toMatch(message)
  })

  it('that are no longer come to are told at the end', () => {
    const ledger = new StepLedger()
    ledger.load([stored('a', 1), stored('b', 2)])
    inOrder(ledger, 'a')
    expect(refusal(() => ledger.checkEnd())).toMatch(/no longer comes to "b"/)
  })

  it('that are of another kind are told', () => {
    const ledger = new StepLedger()
    ledger.load([stored('a', 1)])
    expect(refusal(() => ledger.find(ledger.begin('a', 'sleep')))).toMatch(
      /kind run and is now of the kind sleep/,
    )
  })

  it('that failed may change: they are run again in any case', () => {
    const ledger = new StepLedger()
    ledger.load([stored('a', 1), stored('b', 2, 'failed')])
    inOrder(ledger, 'a', 'x')
    expect(refusal(() => ledger.checkEnd())).toBe('none')
  })

  it('that run beside each other may come in any order', () => {
    const ledger = new StepLedger()
    // The first attempt got through a1, b1 and a2, and then died.
    ledger.load([stored('a1', 1), stored('b1', 3), stored('a2', 2)])
    const places = ['a1', 'a2', 'a3'].map(name => ledger.begin(name, 'run'))
    for (const place of places) ledger.find(place)
    ledger.end()
    expect(refusal(() => ledger.find(ledger.begin('b2', 'run')))).toBe('none')
    expect(ledger.find(ledger.begin('b1', 'run'))?.name).toBe('b1')
  })

  it('have names of their own', () => {
    const ledger = new StepLedger()
    inOrder(ledger, 'a')
    expect(refusal(() => ledger.begin('a', 'run'))).toMatch(/two steps named "a"/)
  })

  it('take each signal once', () => {
    const ledger = new StepLedger()
    const signals = [
      { id: '1', name: 'paid' },
      { id: '2', name: 'sent' },
      { id: '3', name: 'paid' },
    ]
    expect([1, 2, 3].map(() => ledger.take(signals, 'paid')?.id)).toEqual(['1', '3', undefined])
  })
})
