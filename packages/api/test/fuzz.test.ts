import { inspect } from 'node:util'
import { type MillraceServer, operations } from '@millrace/api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from './contract-checks.ts'
import { type FuzzRequest, fuzzRequest } from './fuzz/request.ts'
import { inWorld, readable, sendBytes, sendInProcess } from './fuzz/send.ts'
import { fault } from './fuzz/verdict.ts'
import { makeWorld, type World } from './fuzz/world.ts'
import { makeStore, type StoreKind, storeKinds, type TestStore } from './stores.ts'

/** FUZZ_SEED repeats a run; FUZZ_REQUESTS makes it longer. */
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const inProcess: Record<StoreKind, number> = {
  sqlite: Number(process.env.FUZZ_REQUESTS ?? 20_000),
  postgres: 4_000,
}
const overSockets: Record<StoreKind, number> = { sqlite: 1_000, postgres: 200 }
/** Requests under way at the same time. */
const lanes = 8
/** A minute on two idle cores. */
const timeout = 600_000

describe.each(storeKinds)('requests made at random from the contract, on %s', kind => {
  let world: World
  let store: TestStore
  const answers = new Map<string, number>()
  beforeAll(async () => {
    store = await makeStore(kind)
    world = await makeWorld(store.url)
    console.log(`FUZZ_SEED=${seed} (${kind})`)
  })
  afterAll(async () => {
    await world[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  /** Throws for an answer that is wrong. */
  function judge(request: FuzzRequest, seen: Seen): void {
    const kept = `${request.operation} ${seen.status}`
    answers.set(kept, (answers.get(kept) ?? 0) + 1)
    // Others are removed meanwhile.
    if (request.operation === 'enqueueJob' && seen.status === 201) {
      const { id } = JSON.parse(seen.body) as { id: string }
      const at = world.enqueued++
      world.jobIds[at % world.jobIds.length] = id
      world.queuedIds[at % world.queuedIds.length] = id
    }
    const trouble = world.troubles.splice(0).map(each => inspect(each))
    const wrong = fault(request, seen) ?? trouble[0]
    if (wrong !== undefined) throw new Error(`${wrong}\n\n${readable(request)}\n`)
  }

  it('are answered as the contract says', { timeout }, async () => {
    const property = fc.asyncProperty(fuzzRequest, async made => {
      const request = inWorld(made, world)
      judge(request, await sendInProcess(request, world))
    })
    const numRuns = Math.ceil(inProcess[kind] / lanes)
    const runs = Array.from({ length: lanes }, (_, lane) =>
      fc.check(property, { seed: seed + lane, numRuns }),
    )
    for (const run of await Promise.all(runs)) expect(failure(run)).toBe('')
  })

  it('over a socket too, whatever length they announce', { timeout }, async () => {
    const error = fc.oneof(
      { arbitrary: fc.constant(0), weight: 8 },
      { arbitrary: fc.constantFrom(-1, 1, 1_000, -1_000), weight: 1 },
    )
    const property = fc.asyncProperty(fuzzRequest, error, async (made, lengthError) => {
      const request = inWorld(made, world)
      const seen = await sendBytes(request, world, lengthError)
      // What is not HTTP is refused below the application, in a few words and without a body.
      if (seen === null || (seen.body === '' && [400, 408, 417, 431].includes(seen.status))) return
      judge(lengthError === 0 ? request : { ...request, operation: null }, seen)
    })
    const run = await fc.check(property, { seed, numRuns: overSockets[kind] })
    expect(failure(run)).toBe('')
  })

  it('reach what each operation does, and what it refuses', () => {
    const missed = operations.flatMap(({ id, body, replies }) => {
      const done = Object.keys(replies).some(status => Number(status) < 400 && answers.has(`${id} ${status}`))
      const refused = !body || answers.has(`${id} 400`)
      return [...(done ? [] : [`${id} never succeeds`]), ...(refused ? [] : [`${id} never refuses a body`])]
    })
    // Then the generator lacks something: a body in fuzz/sensible.ts, a name in `meant` of fuzz/json-text.ts or in `named` of
    // fuzz/request.ts.
    expect(missed).toEqual([])
  })

  it('leave a server that works', async () => {
    expect(await enqueued(world.server)).toMatchObject({ status: 201, stored: 'queued' })
    expect((await fetch(`${world.server.url}/ready`)).status).toBe(200)
  })
})

async function enqueued({ url, millrace }: MillraceServer): Promise<{ status: number; stored: unknown }> {
  const response = await fetch(`${url}/api/v1/jobs`, {
    method: 'POST',
    headers: { authorization: 'Bearer admin-of-the-fuzz', 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'ECHO', payload: { text: 'still here' }, delay: '1h' }),
  })
  const { id } = (await response.json()) as { id: string }
  return { status: response.status, stored: (await millrace.get(id))?.state }
}

/** What went wrong, with the smallest request that does it; '' when nothing did. */
function failure<Made>(run: fc.RunDetails<Made>): string {
  if (!run.failed) return ''
  const how = `FUZZ_SEED=${seed}, run ${run.numRuns}, shrunk ${run.numShrinks} times`
  const error = run.errorInstance
  return `${how}: ${error instanceof Error ? error.stack : String(error)}`
}
