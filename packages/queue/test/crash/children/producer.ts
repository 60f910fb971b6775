import { setTimeout as wait } from 'node:timers/promises'
import { createMillrace, openEngine } from '../../../src/index.ts'
import { work } from '../jobs.ts'
import { Ledger, readLedger, type WorkSpec } from '../ledger.ts'
import { Random } from '../random.ts'
import { type DeathPoint, watchedEngine } from '../watch.ts'
import { errorCode, hear, input, leave, report } from './child.ts'

/** A process that enqueues until it is told to stop, or killed. */
export interface ProducerInput {
  url: string
  ledgers: string
  ledger: string
  /** Whose keyed batches, begun and not acknowledged, are to be repeated. */
  predecessor: string | null
  /** The first of the numbers that are this producer's own. */
  firstN: number
  seed: number
  /** Wait between two batches. */
  paceMs: number
  death: DeathPoint | null
}

const given = input<ProducerInput>()
const ledger = new Ledger(given.ledgers, given.ledger)
const random = new Random(given.seed)
const millrace = createMillrace({
  engine: watchedEngine(openEngine(given.url), ledger, given.death),
  jobs: [work],
})
ledger.write({ k: 'hello', pid: process.pid, worker: null, at: Date.now() })

let stopping = false
let paceMs = given.paceMs
hear(order => {
  if (order.kind === 'stop') stopping = true
  if (order.kind === 'hurry') paceMs = 0
})
await millrace.open()
report({ kind: 'ready', worker: null })

let batch = 0
let nextN = given.firstN
if (given.predecessor)
  for (const specs of unacknowledged(given.predecessor)) await enqueue(specs, 'one-by-one', true)
while (!stopping) {
  const specs = Array.from({ length: random.between(1, 30) }, () => spec(nextN++))
  await enqueue(specs, random.chance(0.5) ? 'together' : 'one-by-one', random.chance(0.5))
  await wait(paceMs)
}
await millrace.close()
leave()

async function enqueue(specs: WorkSpec[], way: 'together' | 'one-by-one', keyed: boolean): Promise<void> {
  const number = batch++
  ledger.write({ k: 'intent', batch: number, specs, keyed, at: Date.now() })
  const acknowledge = (ids: string[], ns: number[]): void => {
    ledger.write({ k: 'ack', batch: number, ids, ns, at: Date.now() })
    report({ kind: 'acked', count: ids.length })
  }
  const optionsOf = (item: WorkSpec): { idempotencyKey?: string } =>
    keyed ? { idempotencyKey: `storm-${item.n}` } : {}
  try {
    if (way === 'together') {
      const items = specs.map(payload => ({ payload, options: optionsOf(payload) }))
      const stored = await millrace.enqueueMany(work, items)
      acknowledge(
        stored.map(job => job.id),
        specs.map(item => item.n),
      )
    } else
      await Promise.all(
        specs.map(async item =>
          acknowledge([(await millrace.enqueue(work, item, optionsOf(item))).id], [item.n]),
        ),
      )
  } catch (error) {
    ledger.write({ k: 'refused', code: errorCode(error), message: String(error), at: Date.now() })
  }
}

function unacknowledged(name: string): WorkSpec[][] {
  const facts = readLedger(given.ledgers, name)
  const acked = new Set(facts.flatMap(fact => (fact.k === 'ack' ? fact.ns : [])))
  return facts
    .filter(fact => fact.k === 'intent')
    .filter(fact => fact.keyed)
    .map(fact => fact.specs.filter(item => !acked.has(item.n)))
    .filter(specs => specs.length > 0)
}

/** Mostly quick work, some that waits, some that holds the loop, fails, writes with its completion, or talks. */
function spec(n: number): WorkSpec {
  const slow = random.chance(0.12)
  return {
    n,
    busyMs: random.chance(0.03) ? random.between(1, 10) : 0,
    waitMs: slow ? random.between(150, 600) : random.chance(0.2) ? random.between(1, 60) : 0,
    failures: random.chance(0.04) ? 1 : 0,
    viaTx: random.chance(0.15),
    chatty: random.chance(0.05),
  }
}
