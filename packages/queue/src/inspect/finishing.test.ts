import { describe, expect, it } from 'vitest'
import type { Engine, Hint, JobRecord } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { JobState } from '../job/state.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { Finishing } from './finishing.ts'

/** Jobs by id, each with its state. `asked` are the ids of each look. */
function store(states: Record<string, JobState | null>) {
  const clock = new VirtualClock(0)
  const asked: string[][] = []
  let hear: (hint: Hint) => void = () => {}
  let during: () => void = () => {}
  const engine = {
    async get(ids: string[]) {
      asked.push(ids)
      during()
      return ids.map(id => (states[id] ? ({ id, state: states[id] } as JobRecord) : null))
    },
    subscribe(listener: (hint: Hint) => void) {
      hear = listener
      return () => {
        hear = () => {}
      }
    },
  } as unknown as Engine
  return {
    clock,
    engine,
    asked,
    states,
    hint: (...ids: string[]) => hear({ kind: 'settled', ids: new Set(ids) }),
    hintOfOthers: () => hear({ kind: 'settled', ids: null }),
    during: (act: () => void) => {
      during = () => {
        during = () => {}
        act()
      }
    },
  }
}

const quiet = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

async function collect(finishing: Finishing): Promise<string[]> {
  const ends: string[] = []
  for await (const each of finishing) ends.push(...each)
  return ends
}

describe('Finishing', () => {
  it('tells each end once, also of what a hint names while it is looked at', async () => {
    const { clock, engine, states, hint, during } = store({ a: 'completed', b: 'running', c: null })
    during(() => hint('a', 'b'))
    const ends = collect(new Finishing(engine, clock, ['a', 'b', 'c']))
    await quiet()
    states['b'] = 'dead'
    await clock.advance(1_000, quiet)
    expect(await ends).toEqual(['completed', 'gone', 'dead'])
  })

  it('looks only at what a hint names, and at all after a poll', async () => {
    const { clock, engine, asked, states, hint } = store({ a: 'queued', b: 'queued', c: 'queued' })
    const ends = collect(new Finishing(engine, clock, ['a', 'b', 'c']))
    await quiet()
    states['a'] = 'completed'
    hint('a', 'elsewhere')
    await clock.advance(200, quiet)
    expect(asked).toEqual([['a', 'b', 'c'], ['a']])
    await clock.advance(1_000, quiet)
    expect(asked.at(-1)).toEqual(['b', 'c'])
    states['b'] = states['c'] = 'cancelled'
    await clock.advance(1_000, quiet)
    expect(await ends).toEqual(['completed', 'cancelled', 'cancelled'])
  })

  it('does not look more often than may be, however many hints there are', async () => {
    const { clock, engine, asked, states, hintOfOthers } = store({ a: 'queued' })
    const ends = collect(new Finishing(engine, clock, ['a']))
    for (let n = 0; n < 100; n++) {
      hintOfOthers()
      await clock.advance(5, quiet)
    }
    expect(asked.length).toBeLessThanOrEqual(6)
    states['a'] = 'completed'
    await clock.advance(1_000, quiet)
    expect(await ends).toEqual(['completed'])
  })

  it('outlives a store that is away, and ends when its signal fires', async () => {
    const { clock, engine, during } = store({ a: 'queued' })
    const stop = new AbortController()
    const ends = collect(new Finishing(engine, clock, ['a'], stop.signal))
    during(() => {
      throw new QueueError('unavailable', 'away')
    })
    await clock.advance(5_000, quiet)
    stop.abort()
    expect(await ends).toEqual([])
  })

  it('is over at once when there is nothing to wait for', async () => {
    const { clock, engine, asked } = store({})
    expect(await collect(new Finishing(engine, clock, []))).toEqual([])
    expect(asked).toEqual([])
  })
})
