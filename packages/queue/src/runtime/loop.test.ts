import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { Loop } from './loop.ts'

const intervalMs = 1_000
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A loop whose ticks are counted by their instants, on a clock that stands still until it is advanced. */
function stage(tick: (count: number) => Promise<number | undefined> = async () => undefined) {
  const clock = new VirtualClock(0)
  const startedAt: number[] = []
  const troubles: unknown[] = []
  let running = 0
  const atOnce = { most: 0 }
  const loop = new Loop({
    clock,
    intervalMs,
    trouble: error => troubles.push(error),
    tick: async () => {
      startedAt.push(clock.monotonic())
      atOnce.most = Math.max(atOnce.most, ++running)
      try {
        return await tick(startedAt.length)
      } finally {
        running--
      }
    },
  })
  return { loop, startedAt, troubles, atOnce, advance: (ms: number) => clock.advance(ms, turn) }
}

/** Something that ticks wait for until it is released. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

describe('a loop', () => {
  it('ticks when it starts, and then once an interval', async () => {
    const { loop, startedAt, advance } = stage()
    expect(startedAt).toEqual([])
    loop.start()
    await advance(3_500)
    expect(startedAt).toEqual([0, 1_000, 2_000, 3_000])
    await loop.stop()
  })

  it('waits as long as a tick answers', async () => {
    const waits = [5, 0, 2_500]
    const { loop, startedAt, advance } = stage(async count => waits[count - 1])
    loop.start()
    await advance(4_000)
    expect(startedAt).toEqual([0, 5, 5, 2_505, 3_505])
    await loop.stop()
  })

  it('never ticks twice at once, however long a tick takes', async () => {
    const { opened, open } = gate()
    const { loop, startedAt, atOnce, advance } = stage(() => opened.then(() => undefined))
    loop.start()
    for (let count = 0; count < 10; count++) {
      loop.nudge()
      loop.start()
      await advance(intervalMs)
    }
    expect(startedAt).toEqual([0])
    open()
    await advance(0)
    expect(atOnce.most).toBe(1)
    await loop.stop()
  })
})

describe('a nudge', () => {
  it('ticks at once, and the interval counts from there', async () => {
    const { loop, startedAt, advance } = stage()
    loop.start()
    await advance(400)
    loop.nudge()
    await advance(1_600)
    expect(startedAt).toEqual([0, 400, 1_400])
    await loop.stop()
  })

  it('during a tick gives exactly one more, however many there are', async () => {
    const { opened, open } = gate()
    const { loop, startedAt, advance } = stage(async count => void (count === 1 && (await opened)))
    loop.start()
    await advance(10)
    for (let count = 0; count < 5; count++) loop.nudge()
    await advance(10)
    expect(startedAt).toEqual([0])
    open()
    await advance(20)
    expect(startedAt).toEqual([0, 20])
    await advance(intervalMs)
    expect(startedAt).toEqual([0, 20, 1_020])
    await loop.stop()
  })

  it('from within a tick, before that has waited for anything, gives one more after it', async () => {
    const { loop, startedAt, atOnce, advance } = stage(async count => {
      if (count === 1) loop.nudge()
      await turn()
      return undefined
    })
    loop.start()
    await advance(0)
    expect(startedAt).toEqual([0, 0])
    expect(atOnce.most).toBe(1)
    await loop.stop()
  })

  it('before the start and after the stop does nothing', async () => {
    const { loop, startedAt, advance } = stage()
    loop.nudge()
    await advance(5_000)
    expect(startedAt).toEqual([])
    loop.start()
    await loop.stop()
    loop.nudge()
    await advance(5_000)
    expect(startedAt).toEqual([5_000])
  })
})

describe('a tick that throws', () => {
  const fault = new Error('the store is away')
  const failing = (until: number) => async (count: number) => {
    if (count < until) throw fault
    return undefined
  }

  it('is reported and repeated with waits that double up to two seconds', async () => {
    const { loop, startedAt, troubles, advance } = stage(failing(Number.POSITIVE_INFINITY))
    loop.start()
    await advance(12_000)
    const waits = startedAt.slice(1).map((at, index) => at - (startedAt[index] as number))
    expect(waits).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000])
    expect(troubles).toEqual(startedAt.map(() => fault))
    await loop.stop()
  })

  it('is forgotten when one succeeds: the interval is the usual one, and the next failure waits little', async () => {
    const { loop, startedAt, advance } = stage(async count => {
      if (count !== 3 && count !== 4) throw fault
      return undefined
    })
    loop.start()
    await advance(3_000)
    expect(startedAt).toEqual([0, 250, 750, 1_750, 2_750, 3_000])
    await loop.stop()
  })

  it('waits although it was nudged meanwhile', async () => {
    const { opened, open } = gate()
    const { loop, startedAt, advance } = stage(async count => {
      if (count > 1) return undefined
      await opened
      throw fault
    })
    loop.start()
    loop.nudge()
    open()
    await advance(249)
    expect(startedAt).toEqual([0])
    await advance(1)
    expect(startedAt).toEqual([0, 250])
    await loop.stop()
  })

  it('is repeated at once by a nudge while it waits', async () => {
    const { loop, startedAt, advance } = stage(failing(2))
    loop.start()
    await advance(100)
    loop.nudge()
    await advance(1_000)
    expect(startedAt).toEqual([0, 100, 1_100])
    await loop.stop()
  })

  it('synchronously is no different', async () => {
    const clock = new VirtualClock(0)
    const troubles: unknown[] = []
    const loop = new Loop({
      clock,
      intervalMs,
      trouble: error => troubles.push(error),
      tick: () => {
        throw fault
      },
    })
    loop.start()
    await clock.advance(250, turn)
    expect(troubles).toEqual([fault, fault])
    await loop.stop()
  })
})

describe('stop', () => {
  it('waits for the tick that runs, and starts no other', async () => {
    const { opened, open } = gate()
    const { loop, startedAt, advance } = stage(() => opened.then(() => undefined))
    loop.start()
    loop.nudge()
    let stopped = false
    const stopping = loop.stop().then(() => (stopped = true))
    await advance(5_000)
    expect(stopped).toBe(false)
    open()
    await stopping
    await advance(5_000)
    expect(startedAt).toEqual([0])
  })

  it('resolves at once when nothing runs, started or not, any number of times', async () => {
    const { loop, advance } = stage()
    await loop.stop()
    loop.start()
    await advance(0)
    await Promise.all([loop.stop(), loop.stop()])
  })

  it('resolves although the last tick throws', async () => {
    const { loop, troubles } = stage(async () => {
      throw new Error('too late')
    })
    loop.start()
    await loop.stop()
    expect(troubles).toHaveLength(1)
  })

  it('can be taken back by a start, during the last tick too', async () => {
    const { opened, open } = gate()
    const { loop, startedAt, atOnce, advance } = stage(async count => void (count === 1 && (await opened)))
    loop.start()
    const stopping = loop.stop()
    loop.start()
    open()
    await stopping
    await advance(2_000)
    expect(startedAt).toEqual([0, 0, 1_000, 2_000])
    expect(atOnce.most).toBe(1)
    await loop.stop()
  })
})
