import { onTestFinished } from 'vitest'
import type { Clock, Random } from '../../src/engine/clock.ts'
import type {
  Capabilities,
  ClaimAnswer,
  ClaimedJob,
  Engine,
  JobRecord,
  Lane,
  Lease,
  NewJob,
  ScheduleSettings,
  SettleAnswer,
} from '../../src/engine/contract.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { idMaker } from '../../src/job/id.ts'
import { InFlight } from '../support/engine-proxy.ts'
import { TestClock } from '../support/test-clock.ts'
import { aJob, minuteMs } from './samples.ts'

/** What an engine's own test file hands to the suite. */
export interface EngineSubject {
  name: string
  /** Which way of running it, where there are several. */
  mode?: string
  capabilities: Capabilities
  /** Whether the work of a completion may be asynchronous. */
  asyncWork?: boolean
  /** How many random runs the model is compared with. Fewer where every call crosses a network. */
  modelRuns?: number
  /** The same for the model of flows. */
  flowRuns?: number
  open(options: { clock: Clock; random?: Random }): Promise<EngineUnderTest>
}

/** One empty store with an open engine on it. */
export interface EngineUnderTest {
  engine: Engine
  /** A second engine on the same store, as another process would have one. */
  another(): Promise<Engine>
  close(): Promise<void>
  /** The application's own use of the same database, where the engine has `transactions`. */
  caller?: CallerDatabase
}

/** An application's table `notes` beside the jobs. */
export interface CallerDatabase {
  begin(): Promise<CallerTransaction>
  /** An open transaction on some other store. */
  beginElsewhere(): Promise<CallerTransaction>
  /** A connection to the store that has no transaction open. */
  idle(): Promise<unknown>
  write(tx: unknown, note: string): Promise<void> | undefined
  notes(): Promise<string[]>
}

export interface CallerTransaction {
  tx: unknown
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** What `then` makes once the step is done; at once where there is nothing to wait for, as in work that must not. */
export function after<T>(step: Promise<unknown> | undefined, then: () => T): T | Promise<T> {
  return step === undefined ? then() : step.then(then)
}

interface ClaimOptions {
  worker?: string
  limit?: number
  type?: string
  types?: string[]
  queue?: string
  lanes?: Lane[]
  leaseMs?: number
  engine?: Engine
}

/** An engine on a settable clock, with short forms of the calls that most cases need. */
export class Stage {
  readonly clock: TestClock
  readonly engine: Engine
  readonly capabilities: Capabilities
  readonly newId: () => string
  readonly #under: EngineUnderTest
  readonly #inFlight: InFlight

  constructor(parts: {
    clock: TestClock
    under: EngineUnderTest
    inFlight: InFlight
    capabilities: Capabilities
  }) {
    this.clock = parts.clock
    this.capabilities = parts.capabilities
    this.#under = parts.under
    this.#inFlight = parts.inFlight
    this.engine = parts.inFlight.watch(parts.under.engine)
    this.newId = idMaker(parts.clock.now, bytes => crypto.getRandomValues(bytes))
  }

  get caller(): CallerDatabase {
    if (this.#under.caller === undefined) throw new Error('this engine was opened without a caller database')
    return this.#under.caller
  }

  async another(): Promise<Engine> {
    const engine = this.#inFlight.watch(await this.#under.another())
    await engine.open()
    onTestFinished(() => engine.close())
    return engine
  }

  /** Stores one job and answers its id. */
  async enqueue(job: Partial<NewJob> = {}): Promise<string> {
    const [id] = await this.enqueueMany(1, job)
    return id as string
  }

  async enqueueMany(count: number, job: Partial<NewJob> = {}): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => aJob({ id: this.newId(), ...job }))
    const answers = await this.engine.enqueue(jobs)
    for (const answer of answers)
      if (answer.outcome !== 'enqueued') throw new Error(`expected 'enqueued', not '${answer.outcome}'`)
    return jobs.map(each => each.id)
  }

  async claim(options: ClaimOptions = {}): Promise<ClaimedJob[]> {
    return (await this.claimAnswer(options)).jobs
  }

  claimAnswer(options: ClaimOptions = {}): Promise<ClaimAnswer> {
    const {
      worker = 'worker-1',
      limit = 10,
      queue = 'default',
      leaseMs = minuteMs,
      engine = this.engine,
    } = options
    const types = options.types ?? [options.type ?? 'mail']
    return engine.claim({ worker, lanes: options.lanes ?? [{ queue, types }], limit, leaseMs })
  }

  /** Claims exactly one job. */
  async claimOne(options: ClaimOptions = {}): Promise<ClaimedJob> {
    const [job, ...rest] = await this.claim({ limit: 1, ...options })
    if (job === undefined || rest.length > 0) throw new Error('expected exactly one job to claim')
    return job
  }

  /** Stores one job and claims it. */
  async running(job: Partial<NewJob> = {}, options: ClaimOptions = {}): Promise<ClaimedJob> {
    await this.enqueue(job)
    return this.claimOne({ type: job.type ?? 'mail', queue: job.queue ?? 'default', ...options })
  }

  /** Stores one job and brings it to its end. */
  async finished(
    outcome: Outcome,
    job: Partial<NewJob> = {},
    options: ClaimOptions = {},
  ): Promise<ClaimedJob> {
    const claimed = await this.running(job, options)
    const answer = await this.settle(claimed, outcome)
    if (answer !== 'settled') throw new Error(`expected 'settled', not '${answer}'`)
    return claimed
  }

  async settle(
    lease: Lease,
    outcome: Outcome,
    options: { worker?: string; ranMs?: number; engine?: Engine } = {},
  ): Promise<SettleAnswer> {
    const { worker = 'worker-1', ranMs = 0, engine = this.engine } = options
    const [answer] = await engine.settle(worker, [{ lease, outcome, ranMs }])
    return answer as SettleAnswer
  }

  beat(worker: string, leases: Lease[], options: { leaseMs?: number; engine?: Engine; label?: string } = {}) {
    const { leaseMs = minuteMs, engine = this.engine, label = `${worker} of the suite` } = options
    return engine.heartbeat({ worker, label, leases, leaseMs })
  }

  rescue(options: { maxDeaths?: number; limit?: number; engine?: Engine } = {}) {
    const { maxDeaths = 3, limit = 100, engine = this.engine } = options
    return engine.rescue({ maxDeaths, limit })
  }

  /** The stored job. Throws when there is none. */
  async job(id: string, engine: Engine = this.engine): Promise<JobRecord> {
    const [record] = await engine.get([id])
    if (!record) throw new Error(`no job ${id}`)
    return record
  }

  async states(ids: string[]): Promise<(string | null)[]> {
    return (await this.engine.get(ids)).map(record => record?.state ?? null)
  }

  /** Stores an hourly schedule whose first tick is an hour away. */
  async schedule(settings: Partial<ScheduleSettings> = {}): Promise<ScheduleSettings> {
    const schedule: ScheduleSettings = {
      name: 'hourly',
      rule: { everyMs: 60 * minuteMs },
      misfire: { kind: 'fire-once' },
      overlap: 'allow',
      job: { type: 'mail', queue: 'default', tenant: '', priority: 5, maxAttempts: 3, payloadJson: '{}' },
      firstAt: this.clock.now() + 60 * minuteMs,
      ...settings,
    }
    await this.engine.putSchedule(schedule)
    return schedule
  }
}

/** Opens an empty store for one test and closes it after. */
export async function openStage(subject: EngineSubject, options: { startAt?: number; random?: Random } = {}) {
  const inFlight = new InFlight()
  const clock = new TestClock(options.startAt, inFlight)
  const under = await subject.open(options.random ? { clock, random: options.random } : { clock })
  onTestFinished(() => under.close())
  const stage = new Stage({ clock, under, inFlight, capabilities: subject.capabilities })
  await stage.engine.open()
  return stage
}
