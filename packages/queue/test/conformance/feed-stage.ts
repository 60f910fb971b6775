import { onTestFinished } from 'vitest'
import type { Engine, FeedItem, Follower, Millrace } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { plainJob, type Runtime } from './runtime-stage.ts'

export const work = plainJob()

type FollowOptions = Parameters<Millrace['feed']['follow']>[0]

/** A follower that is there: what happens from now on it is shown. */
export async function follow(
  runtime: Runtime,
  options: FollowOptions = {},
  of = runtime.millrace,
): Promise<Follower> {
  const follower = of.feed.follow(options)
  onTestFinished(follower.end)
  await runtime.clock.until(follower.started)
  return follower
}

/** The next items, up to the first for which `last` holds. */
export async function taken(
  runtime: Runtime,
  follower: Follower,
  last: (item: FeedItem, count: number) => boolean,
): Promise<FeedItem[]> {
  const items: FeedItem[] = []
  const taking = (async () => {
    for (;;) {
      const { value } = await follower.next()
      if (!value) return
      items.push(value)
      if (last(value, items.length)) return
    }
  })()
  await runtime.clock.until(taking)
  return items
}

export const take = (runtime: Runtime, follower: Follower, count: number): Promise<FeedItem[]> =>
  taken(runtime, follower, (_, taken) => taken === count)

export const names = (items: readonly FeedItem[]): string[] => items.map(item => item.event)

/** How often each of the engine's methods is called that have to do with the feed. */
export function counted(): { calls: Record<string, number>; between: (engine: Engine) => Engine } {
  const calls = { appendFeed: 0, readFeed: 0, feedWatched: 0, watchFeed: 0 }
  return {
    calls,
    between: engine =>
      override(engine, {
        appendFeed: (batch, entries) => (calls.appendFeed++, engine.appendFeed(batch, entries)),
        readFeed: page => (calls.readFeed++, engine.readFeed(page)),
        feedWatched: () => (calls.feedWatched++, engine.feedWatched()),
        watchFeed: forMs => (calls.watchFeed++, engine.watchFeed(forMs)),
      }),
  }
}
