import { createServer, type MillraceServer, type Principal } from '@millrace/api'
import { createMillrace, createWorker, handle, openEngine } from 'millrace'
import { describe, expect, it } from 'vitest'
import { EventReader } from './event-reader.ts'
import { echo, sample, token } from './sample-server.ts'
import { makeStore, storeKinds } from './stores.ts'

const admin = { authorization: `Bearer ${token}` }
const user = (name: string): Record<string, string> => ({ 'x-user': name })

function authenticate(request: Request): Principal | null {
  const name = request.headers.get('x-user')
  return name === null ? null : { name, role: 'user', tenant: name }
}

async function start(url: string): Promise<MillraceServer & AsyncDisposable> {
  const access = { adminTokens: [token], authenticate }
  const server = await createServer({ url, modules: [sample()], access, port: 0, worker: false })
  return { ...server, [Symbol.asyncDispose]: () => server.close({ deadlineMs: 0 }) }
}

describe.each(storeKinds)('GET /api/v1/events on %s', kind => {
  it('tells what a worker of another process does, to each tenant only what is theirs, and misses nothing over a cut', async () => {
    await using store = await makeStore(kind)
    await using server = await start(store.url)
    const stream = `${server.url}/api/v1/events`
    const ends = `${stream}?event=completed`
    const adas = await EventReader.open(ends, user('ada'))
    await using bobs = await EventReader.open(stream, user('bob'))
    await using all = await EventReader.open(ends, admin)
    // An engine of its own is what another process has.
    const elsewhere = createMillrace({ engine: openEngine(store.url), jobs: [echo] })
    const worker = createWorker(elsewhere, [handle(echo, ({ payload }) => ({ text: payload.text }))])
    await worker.start()
    const enqueue = async (tenant: string, from: number, count: number): Promise<string[]> => {
      const items = Array.from({ length: count }, (_, n) => ({
        payload: { text: `${tenant} ${from + n}` },
        options: { tenant },
      }))
      return (await server.millrace.enqueueMany(echo, items)).map(each => each.id)
    }
    const first = [...(await enqueue('ada', 0, 200)), ...(await enqueue('bob', 0, 50))]
    await adas.until(heard => heard.length >= 150)
    await adas[Symbol.asyncDispose]()
    const whileAway = await enqueue('ada', 200, 300)
    await all.until(heard => heard.length === 550)

    await using back = await EventReader.open(ends, { ...user('ada'), 'last-event-id': String(adas.last) })
    await back.until(heard => adas.heard.length + heard.length >= 500)
    const ada = [...adas.heard, ...back.heard]
    expect(ada.map(({ data }) => data.id).sort()).toEqual([...first.slice(0, 200), ...whileAway].sort())
    expect(ada.map(({ id }) => id)).toEqual(ada.map(({ id }) => id).toSorted((a, b) => a - b))
    await bobs.until(heard => heard.filter(({ event }) => event === 'completed').length === 50)
    expect(new Set(bobs.heard.map(({ data }) => data.tenant))).toEqual(new Set(['bob']))
    expect(new Set(bobs.heard.map(({ event }) => event))).toEqual(
      new Set(['enqueued', 'started', 'completed']),
    )
    expect(all.heard.length).toBe(550)
    await worker.stop()
    await elsewhere.close()
  })

  it('says its place before anything has come, so that a cut then loses nothing either', async () => {
    await using store = await makeStore(kind)
    await using server = await start(store.url)
    const stream = `${server.url}/api/v1/events`
    const early = await EventReader.open(stream, admin)
    await early.until(() => early.last > 0)
    await early[Symbol.asyncDispose]()
    await using keeping = await EventReader.open(stream, admin)
    const { id } = await server.millrace.enqueue(echo, { text: 'meanwhile' })
    await keeping.until(heard => heard.length === 1)
    await using back = await EventReader.open(stream, { ...admin, 'last-event-id': String(early.last) })
    await back.until(heard => heard.length === 1)
    expect(back.heard).toMatchObject([{ event: 'enqueued', data: { id } }])
  })

  it('refuses to show another tenant, and a place that is none', async () => {
    await using store = await makeStore(kind)
    await using server = await start(store.url)
    const ask = async (query: string, headers: Record<string, string>): Promise<unknown[]> => {
      const response = await fetch(`${server.url}/api/v1/events${query}`, { headers })
      return [response.status, ((await response.json()) as { code: string }).code]
    }
    expect(await ask('?tenant=bob', user('ada'))).toEqual([403, 'forbidden'])
    expect(await ask('?after=x', admin)).toEqual([400, 'invalid-argument'])
    expect(await ask('', { ...admin, 'last-event-id': 'nonsense' })).toEqual([400, 'invalid-argument'])
    expect(await ask('?event=nonsense', admin)).toEqual([400, 'invalid-argument'])
  })

  it('says that there is a gap to one who comes back from a place that this store never gave', async () => {
    await using store = await makeStore(kind)
    await using server = await start(store.url)
    await using reader = await EventReader.open(`${server.url}/api/v1/events`, {
      ...admin,
      'last-event-id': '999999',
    })
    await reader.until(heard => heard.length > 0)
    expect(reader.heard[0]).toMatchObject({ event: 'gap' })
  })

  it('can be asked again and again instead', async () => {
    await using store = await makeStore(kind)
    await using server = await start(store.url)
    const ask = async (after?: number) => {
      const url = `${server.url}/api/v1/events/recent${after === undefined ? '' : `?after=${after}`}`
      return (await (await fetch(url, { headers: admin })).json()) as {
        events: { id: string }[]
        last: number
        gap: boolean
      }
    }
    const { last } = await ask()
    const { id } = await server.millrace.enqueue(echo, { text: 'here' })
    let page = await ask(last)
    while (page.events.length === 0) page = await ask(last)
    expect(page).toMatchObject({ gap: false, events: [{ id, event: 'enqueued' }] })
    expect(await ask(page.last)).toEqual({ events: [], last: page.last, gap: false })
  })
})

describe('GET /api/v1/events', () => {
  it('ends when the server stops, which does not wait for it', async () => {
    await using store = await makeStore('sqlite')
    const server = await start(store.url)
    const reader = await EventReader.open(`${server.url}/api/v1/events`, admin)
    expect(reader.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    await Promise.all([reader.ended, server.close({ deadlineMs: 60_000 })])
  })

  it('leaves nothing behind when a client goes', async () => {
    await using store = await makeStore('sqlite')
    await using server = await start(store.url)
    const left = Promise.withResolvers<void>()
    const follow = server.millrace.feed.follow.bind(server.millrace.feed)
    server.millrace.feed.follow = options => {
      options?.signal?.addEventListener('abort', () => left.resolve())
      return follow(options)
    }
    const reader = await EventReader.open(`${server.url}/api/v1/events`, admin)
    await reader[Symbol.asyncDispose]()
    await left.promise
  })

  it('answers HEAD with the head of the stream, and follows nothing for it', async () => {
    await using store = await makeStore('sqlite')
    await using server = await start(store.url)
    const { feed } = server.millrace
    const follow = feed.follow.bind(feed)
    let followers = 0
    feed.follow = options => {
      followers++
      return follow(options)
    }
    const response = await fetch(`${server.url}/api/v1/events`, { method: 'HEAD', headers: admin })
    expect([response.status, response.headers.get('content-type'), followers]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      0,
    ])
  })
})
