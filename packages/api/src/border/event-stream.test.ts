import type { FeedItem, Follower } from 'millrace'
import { expect, it, vi } from 'vitest'
import { eventStream } from './event-stream.ts'

const take = (items: () => Promise<FeedItem[]>): Follower =>
  ({ take: vi.fn(items), seen: null }) as unknown as Follower

it('leaves nothing behind when its follower breaks', async () => {
  const left = vi.fn()
  const cause = new Error('the store is away')
  const follower = take(() => Promise.reject(cause))
  const { signal } = new AbortController()
  const timers = vi.spyOn(globalThis, 'clearInterval')
  const { body } = eventStream({ follower, from: 7, hears: '{}', signal, left })
  await expect(new Response(body).text()).rejects.toBe(cause)
  expect(left).toHaveBeenCalledOnce()
  expect(timers).toHaveBeenCalledOnce()
})

it('ends at its time for one who has stopped reading, too', async () => {
  const ended = new AbortController()
  const left = vi.fn()
  const item = { event: 'gap', seq: 9 } as const
  const follower = take(() => Promise.resolve([item]))
  const { body } = eventStream({ follower, from: 7, hears: '{}', signal: ended.signal, left })
  const reader = body!.getReader()
  await reader.read()
  // The next event stands in the stream's room, and nobody asks for more.
  await vi.waitFor(() => expect(follower.take).toHaveBeenCalledOnce())
  ended.abort()
  expect(left).toHaveBeenCalledOnce()
  await expect(reader.closed).rejects.toThrow('stopped reading')
})
