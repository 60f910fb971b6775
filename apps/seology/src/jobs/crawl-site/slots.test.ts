import { describe, expect, it } from 'vitest'
import { createSlots } from './slots.ts'

const forever = new AbortController().signal

describe('slots', () => {
  it('are given in order of asking, no more than there are', async () => {
    const slots = createSlots(1)
    const order: string[] = []
    const first = await slots.take(forever)
    const second = slots.take(forever).then(giveBack => (order.push('second'), giveBack))
    const third = slots.take(forever).then(giveBack => (order.push('third'), giveBack))
    await Promise.resolve()
    expect(order).toEqual([])
    first()
    ;(await second)()
    await third
    expect(order).toEqual(['second', 'third'])
  })

  it('given back twice are free once', async () => {
    const slots = createSlots(1)
    const giveBack = await slots.take(forever)
    giveBack()
    giveBack()
    await slots.take(forever)
    const stop = new AbortController()
    const waiting = slots.take(stop.signal)
    stop.abort(new Error('no slot'))
    await expect(waiting).rejects.toThrow('no slot')
  })

  it('are not lost to who gave up waiting', async () => {
    const slots = createSlots(1)
    const giveBack = await slots.take(forever)
    const stop = new AbortController()
    const waiting = slots.take(stop.signal)
    stop.abort(new Error('given up'))
    await expect(waiting).rejects.toThrow('given up')
    giveBack()
    await slots.take(forever)
  })
})
