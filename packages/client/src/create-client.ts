import type { Client, ItemMethods, Methods, ReplyMethods } from './client.ts'
import type { Calls } from './contract/calls.ts'
import { operations } from './contract/operations.ts'
import { type EventOptions, events } from './events.ts'
import { itemsOf } from './items.ts'
import type { AnyJobs } from './jobs.ts'
import { type CallOptions, type ClientOptions, settingsOf } from './options.ts'
import { type Given, wireOf } from './request.ts'
import { type Answer, readAnswer } from './answer.ts'
import { BrowserSession } from './session.ts'
import { Transport } from './transport.ts'
import { type WaitOptions, waitForResult } from './wait-for-result.ts'

type Id = keyof Calls
type Call = Given & CallOptions

const ids = Object.keys(operations) as Id[]

/**
 * A client of a Millrace server. With the application's definitions, `enqueueJob` knows what each type takes:
 * `createClient<typeof jobs>({ url, token })`, where `jobs` is an object, a list or a module of them, imported as a type.
 * Throws `invalid-argument` for options that can't work; it connects to nothing yet.
 */
export function createClient<Jobs = AnyJobs>(options: ClientOptions): Client<Jobs> {
  const transport = new Transport(settingsOf(options))
  const session = options.session ? new BrowserSession(call => plain.whoAmI(call)) : null
  const ask = async (id: Id, call: Call = {}): Promise<Answer> => {
    const operation = operations[id]
    const wire = wireOf(operation, call)
    const send = (more: Record<string, string> = {}): Promise<Answer> =>
      transport.send({ ...wire, headers: { ...wire.headers, ...more } }, call, readAnswer(operation))
    const isProven = session && operation.method !== 'GET' && id !== 'login'
    const answer = await (isProven ? session.prove(call, send) : send())
    session?.notice(id, answer.body)
    return answer
  }
  const plain: Methods = eachOf(ids, id => async (call?: Call) => (await ask(id, call)).body)
  const replies: ReplyMethods = eachOf(ids, id => (call?: Call) => ask(id, call))
  const lists = ids.filter(id => operations[id].items !== undefined)
  const each: ItemMethods = eachOf(
    lists,
    id => (call?: Call) => itemsOf(operations[id].items as string, page => ask(id, page), call),
  )
  const client = {
    ...plain,
    replies,
    each,
    events: (of?: EventOptions) => events(transport, of),
    waitForResult(job: string | { id: string }, of: WaitOptions = {}): Promise<unknown> {
      const id = typeof job === 'string' ? job : job.id
      return waitForResult(id, (waitMs, how) => replies.jobResult({ id, query: { waitMs }, ...how }), of)
    },
  }
  return client as unknown as Client<Jobs>
}

/** The table of operations is made of the same contract as the types, so each has what its type says. */
function eachOf<All>(names: Id[], make: (id: Id) => unknown): All {
  return Object.fromEntries(names.map(id => [id, make(id)])) as All
}
