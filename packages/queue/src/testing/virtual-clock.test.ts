import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sleep } from '../engine/clock.ts'
import { VirtualClock } from './virtual-clock.ts'

const startAt = Date.UTC(2026, 0, 1)
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('virtual time', () => {
  it('stands still until it is advanced', async () => {
    const clock = new VirtualClock(startAt)
    let fired = 0
    clock.after(0, () => fired++)
    await settle()
    expect([clock.now(), clock.monotonic(), fired]).toEqual([startAt, 0, 0])
    await clock.advance(250, settle)
    expect([clock.now(), clock.monotonic(), fired]).toEqual([startAt + 250, 250, 1])
  })

  it('is not real, so that nobody waits for it in real time', () => {
    expect(new VirtualClock(0).real).toBe(false)
  })

  it('hands out now as a plain function', () => {
    const { now } = new VirtualClock(startAt)
    expect(now()).toBe(startAt)
  })

  it('shows each timer its own instant', async () => {
    const clock = new VirtualClock(startAt)
    const seen: number[][] = []
    for (const ms of [30, 10, 20])
      clock.after(ms, () => seen.push([clock.monotonic(), clock.now() - startAt]))
    await clock.advance(100, settle)
    expect(seen).toEqual([
      [10, 10],
      [20, 20],
      [30, 30],
    ])
  })

  it('fires timers of one instant in the order in which they were set', async () => {
    const clock = new VirtualClock(0)
    const fired: string[] = []
    clock.after(5, () => fired.push('a'))
    clock.after(5, () => fired.push('b'))
    clock.after(-7, () => fired.push('at once'))
    clock.after(5, () => fired.push('c'))
    await clock.advance(5, settle)
    expect(fired).toEqual(['at once', 'a', 'b', 'c'])
  })

  it('fires what falls due at the very end, and nothing later', async () => {
    const clock = new VirtualClock(0)
    const fired: number[] = []
    for (const ms of [9, 10, 11]) clock.after(ms, () => fired.push(ms))
    await clock.advance(10, settle)
    expect(fired).toEqual([9, 10])
    await clock.advance(1, settle)
    expect(fired).toEqual([9, 10, 11])
  })

  it('fires what a timer sets within the same stretch', async () => {
    const clock = new VirtualClock(0)
    const fired: number[] = []
    const again = (): void => {
      fired.push(clock.monotonic())
      clock.after(3, again)
    }
    clock.after(3, again)
    await clock.advance(10, settle)
    expect(fired).toEqual([3, 6, 9])
  })

  it('lets the consequences of an instant happen in it, before the next', async () => {
    const clock = new VirtualClock(0)
    const seen: string[] = []
    const worker = async (): Promise<void> => {
      for (const step of [1, 2]) {
        await sleep(clock, 10)
        await settle()
        seen.push(`step ${step} at ${clock.monotonic()}`)
      }
    }
    void worker()
    clock.after(11, () => seen.push('later'))
    await clock.advance(100, async () => {
      await settle()
      await settle()
    })
    expect(seen).toEqual(['step 1 at 10', 'later', 'step 2 at 20'])
  })

  it('awaits settle before the first instant and after the last', async () => {
    const clock = new VirtualClock(0)
    const settledAt: number[] = []
    clock.after(4, () => {})
    await clock.advance(10, async () => void settledAt.push(clock.monotonic()))
    expect(settledAt[0]).toBe(0)
    expect(settledAt).toContain(4)
    expect(settledAt.at(-1)).toBe(10)
  })

  it('fires nothing that was cancelled, not even by a timer of the same instant', async () => {
    const clock = new VirtualClock(0)
    const fired: string[] = []
    clock.after(5, () => {
      fired.push('first')
      second.cancel()
    })
    const second = clock.after(5, () => fired.push('second'))
    const third = clock.after(6, () => fired.push('third'))
    third.cancel()
    third.cancel()
    await clock.advance(10, settle)
    expect(fired).toEqual(['first'])
  })

  it('a set wall clock moves no timer', async () => {
    const clock = new VirtualClock(startAt)
    let fired = 0
    clock.after(100, () => fired++)
    clock.setNow(startAt - 3_600_000)
    await clock.advance(99, settle)
    expect([fired, clock.monotonic(), clock.now()]).toEqual([0, 99, startAt - 3_600_000 + 99])
    clock.setNow(startAt + 86_400_000)
    await clock.advance(1, settle)
    expect([fired, clock.monotonic(), clock.now()]).toEqual([1, 100, startAt + 86_400_000 + 1])
  })

  it('advancing by nothing fires what is due', async () => {
    const clock = new VirtualClock(0)
    let fired = 0
    clock.after(0, () => fired++)
    await clock.advance(0, settle)
    expect(fired).toBe(1)
  })

  it('fires all timers once, in order, however the way is cut into stretches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(100), { maxLength: 20 }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 10 }),
        async (waits, stretches) => {
          const clock = new VirtualClock(0)
          const fired: number[] = []
          for (const ms of waits) clock.after(ms, () => fired.push(ms))
          for (const ms of stretches) await clock.advance(ms, async () => {})
          const until = stretches.reduce((a, b) => a + b)
          expect(clock.monotonic()).toBe(until)
          expect(fired).toEqual(waits.filter(ms => ms <= until).sort((a, b) => a - b))
        },
      ),
    )
  })
})
