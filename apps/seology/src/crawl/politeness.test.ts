import { describe, expect, it } from 'vitest'
import type { Clock } from './clock.ts'
import { createPacer, isLoopback, type PacerOptions, parseRetryAfter } from './politeness.ts'

/** Time that passes only when it is told to. */
function manualClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 1_000_000
  let sleepers: { at: number; wake(): void }[] = []
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter(other => other !== sleeper)
          reject(signal.reason)
        })
      }),
    async advance(ms) {
      now += ms
      for (const { wake } of sleepers.filter(({ at }) => at <= now)) wake()
      sleepers = sleepers.filter(({ at }) => at > now)
      await new Promise(resolve => setImmediate(resolve))
    },
  }
}

const signal = new AbortController().signal
const page = 'https://ex.com/a'
const ok = { status: 200, latencyMs: 0 }

function setUp(options: PacerOptions = {}) {
  const clock = manualClock()
  const pacer = createPacer({ clock, ...options })
  const started: string[] = []
  const turn = async (url: string) => {
    const turn = await pacer.turn(url, signal)
    started.push(url)
    return turn
  }
  return { clock, pacer, started, turn }
}

describe('pace', () => {
  it('starts to one origin keep their distance, other origins are free', async () => {
    const { clock, started, turn } = setUp()
    const first = await turn(`${page}1`)
    first.done(ok)
    void turn(`${page}2`)
    await turn('https://other.example/')
    expect(started).toEqual([`${page}1`, 'https://other.example/'])
    await clock.advance(499)
    expect(started).toHaveLength(2)
    await clock.advance(1)
    expect(started.at(-1)).toBe(`${page}2`)
  })

  it('no more are in flight than connections', async () => {
    const { clock, started, turn } = setUp({ minDelayMs: 0 })
    const first = await turn('https://ex.com/1')
    await turn('https://ex.com/2')
    void turn('https://ex.com/3')
    await clock.advance(60_000)
    expect(started).toHaveLength(2)
    first.done(ok)
    await clock.advance(0)
    expect(started).toHaveLength(3)
  })

  it('a slow site is asked less often, and a quick error does not speed it up', async () => {
    const { pacer, turn, clock } = setUp()
    const finish = async (status: number, latencyMs: number) => {
      const [next] = await Promise.all([turn(page), clock.advance(60_000)])
      next.done({ status, latencyMs })
      return pacer.delayMs(page)
    }
    expect(await finish(200, 2_500)).toBe(1_500)
    expect(await finish(404, 10)).toBe(1_500)
    expect(await finish(200, 500)).toBe(1_000)
    expect(await finish(200, 0)).toBe(500)
  })

  it('a crawl-delay raises the minimum and never lowers it', () => {
    const { pacer } = setUp()
    pacer.setCrawlDelay(page, 3_000)
    pacer.setCrawlDelay(page, 100)
    expect(pacer.delayMs(page)).toBe(3_000)
  })

  it('loopback has no delay', async () => {
    const { turn, started } = setUp()
    for (let n = 0; n < 5; n++) (await turn('http://127.0.0.1:8080/')).done({ status: 200, latencyMs: 500 })
    expect(started).toHaveLength(5)
    expect(['localhost', 'a.localhost', '127.9.9.9', '[::1]', '0x7f.1'].every(isLoopback)).toBe(true)
    expect(isLoopback('ex.com')).toBe(false)
  })
})

describe('Retry-After', () => {
  it('is waited for', async () => {
    const { clock, turn, started } = setUp()
    ;(await turn(page)).done({ status: 429, latencyMs: 0, retryAfterMs: 5_000 })
    void turn(page)
    await clock.advance(4_999)
    expect(started).toHaveLength(1)
    await clock.advance(1)
    expect(started).toHaveLength(2)
  })

  it('beyond the limit it rejects', async () => {
    const { turn } = setUp({ maxRetryAfterMs: 1_000 })
    ;(await turn(page)).done({ status: 503, latencyMs: 0, retryAfterMs: 5_000 })
    await expect(turn(page)).rejects.toMatchObject({ code: 'host-throttled', retryAfterMs: 5_000 })
  })

  it('is read as seconds or as a date', () => {
    expect(parseRetryAfter('120', 0)).toBe(120_000)
    expect(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 10_000)).toBe(50_000)
    expect(parseRetryAfter('soon', 0)).toBeNull()
    expect(parseRetryAfter(undefined, 0)).toBeNull()
  })
})

describe('a failing host', () => {
  const fast: PacerOptions = { minDelayMs: 0 }

  it('is given up after five failures in a row, and its waiters hear of it', async () => {
    const { pacer, turn } = setUp({ ...fast, connections: 1 })
    for (let n = 0; n < 4; n++) (await turn(page)).done({ status: 500, latencyMs: 0 })
    const last = await turn(page)
    const waiting = turn(page)
    last.done({ status: 0, latencyMs: 0 })
    await expect(waiting).rejects.toMatchObject({ code: 'host-stopped', origin: 'https://ex.com' })
    await expect(turn(page)).rejects.toMatchObject({ code: 'host-stopped' })
    expect(pacer.stopped()).toEqual([{ origin: 'https://ex.com', reason: '5 failures in a row' }])
    expect(pacer.isStopped('https://other.example/')).toBe(false)
  })

  it('is given up when a tenth of the last fifty failed', async () => {
    const { pacer, turn } = setUp(fast)
    for (let n = 1; n <= 50; n++) (await turn(page)).done({ status: n % 10 === 0 ? 502 : 200, latencyMs: 0 })
    expect(pacer.isStopped(page)).toBe(true)
  })

  it('is kept through answers that are no failures', async () => {
    const { pacer, turn } = setUp(fast)
    for (let n = 0; n < 60; n++) (await turn(page)).done({ status: 404, latencyMs: 0 })
    for (let n = 0; n < 9; n++) (await turn(page)).done({ status: 0, latencyMs: 0, ignore: true })
    expect(pacer.isStopped(page)).toBe(false)
  })
})

it('a waiter leaves at once when its signal aborts, and the next takes its place', async () => {
  const { clock, pacer, started, turn } = setUp()
  ;(await turn(page)).done(ok)
  const abort = new AbortController()
  const aborted = pacer.turn(page, abort.signal)
  void turn(page)
  abort.abort(new Error('stop'))
  await expect(aborted).rejects.toThrow('stop')
  await clock.advance(500)
  expect(started).toHaveLength(2)
})
