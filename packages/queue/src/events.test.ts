import { describe, expect, it } from 'vitest'
import { type EventName, Events, type LifecycleEvents } from './events.ts'

const started = { worker: 'w1' }
const fault = new Error('the listener is broken')
const broken = (): never => {
  throw fault
}

/** Everything that is told under `name` from now on. */
function heardBy<Name extends EventName>(events: Events, name: Name): LifecycleEvents[Name][] {
  const heard: LifecycleEvents[Name][] = []
  events.on(name, event => void heard.push(event))
  return heard
}

describe('events', () => {
  it('reach all listeners of their name, in the order in which they came', () => {
    const events = new Events()
    const heard: string[] = []
    events.on('worker-started', event => void heard.push(`first ${event.worker}`))
    events.on('worker-started', event => void heard.push(`second ${event.worker}`))
    events.on('worker-stopped', () => void heard.push('another name'))
    events.emit('worker-started', started)
    expect(heard).toEqual(['first w1', 'second w1'])
  })

  it('that nobody hears are lost quietly', () => {
    expect(() => new Events().emit('worker-started', started)).not.toThrow()
  })

  it('are worth building while somebody listens', () => {
    const events = new Events()
    expect(events.heard('progress')).toBe(false)
    const off = events.on('progress', () => {})
    expect(events.heard('progress')).toBe(true)
    expect(events.heard('completed')).toBe(false)
    off()
    expect(events.heard('progress')).toBe(false)
  })

  it('that a listener emits in turn are told too', () => {
    const events = new Events()
    const stopped = heardBy(events, 'worker-stopped')
    events.on('worker-started', event => events.emit('worker-stopped', event))
    events.emit('worker-started', started)
    expect(stopped).toEqual([started])
  })
})

describe('a listener that throws', () => {
  it('hurts neither the others nor the emitter, and becomes a trouble event', () => {
    const events = new Events()
    const troubles = heardBy(events, 'trouble')
    const before = heardBy(events, 'worker-started')
    events.on('worker-started', broken)
    const after = heardBy(events, 'worker-started')
    events.emit('worker-started', started)
    expect([before, after]).toEqual([[started], [started]])
    expect(troubles).toEqual([{ where: 'a listener for worker-started', error: fault }])
  })

  it('is asked again at the next event', () => {
    const events = new Events()
    const troubles = heardBy(events, 'trouble')
    events.on('worker-started', broken)
    events.emit('worker-started', started)
    events.emit('worker-started', started)
    expect(troubles).toHaveLength(2)
  })

  it('for trouble itself ends there', () => {
    const events = new Events()
    events.on('trouble', broken)
    const troubles = heardBy(events, 'trouble')
    events.on('worker-started', broken)
    events.emit('worker-started', started)
    expect(troubles).toEqual([{ where: 'a listener for worker-started', error: fault }])
  })

  it('later, in a promise, becomes a trouble event too', async () => {
    const events = new Events()
    const troubles = heardBy(events, 'trouble')
    events.on('worker-started', () => Promise.reject(fault))
    events.on('trouble', () => Promise.reject(new Error('and this one as well')))
    events.emit('worker-started', started)
    await new Promise(resolve => setImmediate(resolve))
    expect(troubles).toEqual([{ where: 'a listener for worker-started', error: fault }])
  })
})

describe('unsubscribing', () => {
  it('in the listener itself lets the others hear', () => {
    const events = new Events()
    const heard: string[] = []
    const off = events.on('worker-started', () => {
      heard.push('once')
      off()
    })
    events.on('worker-started', () => void heard.push('always'))
    events.emit('worker-started', started)
    events.emit('worker-started', started)
    expect(heard).toEqual(['once', 'always', 'always'])
  })

  it('of a later listener is heeded within the same event', () => {
    const events = new Events()
    const heard: string[] = []
    events.on('worker-started', () => off())
    const off = events.on('worker-started', () => void heard.push('too late'))
    events.emit('worker-started', started)
    expect(heard).toEqual([])
  })

  it('twice is the same as once', () => {
    const events = new Events()
    const off = events.on('worker-started', () => {})
    const heard = heardBy(events, 'worker-started')
    off()
    off()
    events.emit('worker-started', started)
    expect(heard).toEqual([started])
  })
})

it('a listener that is added while an event is told does not hear that one', () => {
  const events = new Events()
  let calls = 0
  // Guarded, because endless calls would be the failure.
  const subscribeAgain = (): void => {
    if (++calls < 10) events.on('worker-started', () => subscribeAgain())
  }
  events.on('worker-started', subscribeAgain)
  events.emit('worker-started', started)
  expect(calls).toBe(1)
  events.emit('worker-started', started)
  expect(calls).toBe(3)
})
