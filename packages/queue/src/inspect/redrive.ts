import { sleep } from '../engine/clock.ts'
import { isQueueError, QueueError } from '../engine/errors.ts'
import type { Millrace } from '../queue.ts'
import { Finishing } from './finishing.ts'

export interface RedriveOptions {
  /** How many jobs go first. Default 5. */
  canary?: number
  /** How many times larger each batch is than the one before. Default 4. */
  factor?: number
  /** How many of them may die again before it stops. Default 0. */
  maxFailures?: number
  /** Stops waiting and redriving. What was redriven goes on. */
  signal?: AbortSignal
  /** Called when a batch was redriven, and whenever more of it have finished. */
  onProgress?: (progress: RedriveProgress) => void
}

export interface RedriveProgress {
  /** How many were dead of this cause when it began. */
  total: number
  redriven: number
  completed: number
  /** They were redriven and died again, of whatever cause. */
  died: number
  /** Redriven, then cancelled or removed by somebody. */
  ended: number
  /** No longer dead when their turn came. */
  skipped: number
  /** Redriven and not finished yet. */
  running: number
  /** 1 is the canary. */
  batch: number
}

export interface RedriveResult extends RedriveProgress {
  /** `canary`, `ramp`: too many died again, in the first or a later batch. */
  stoppedAt: 'done' | 'canary' | 'ramp' | 'aborted'
  /** Not redriven: as dead as before. */
  left: number
}

const chunkSize = 500
const retryMs = 1_000
/** A batch has a bound, so that a cause that comes back late has not taken everything by then. */
const largestBatch = 5_000

/** One run over dead jobs: redrive a batch, wait until all of it have finished, go on or stop. */
export class Redrive {
  readonly #millrace: Millrace
  readonly #options: RedriveOptions
  readonly #canary: number
  readonly #factor: number
  readonly #maxFailures: number

  constructor(millrace: Millrace, options: RedriveOptions) {
    this.#millrace = millrace
    this.#options = options
    this.#canary = bounded('canary', options.canary ?? 5, 1, largestBatch)
    this.#factor = bounded('factor', options.factor ?? 4, 1, 1_000)
    this.#maxFailures = bounded('maxFailures', options.maxFailures ?? 0, 0, Number.MAX_SAFE_INTEGER)
  }

  /** The sizes of the batches of so many jobs. */
  batches(total: number): number[] {
    const sizes: number[] = []
    let size = this.#canary
    for (let left = total; left > 0; left -= sizes.at(-1) as number) {
      sizes.push(Math.min(left, Math.floor(size)))
      size = Math.min(size * this.#factor, largestBatch)
    }
    return sizes
  }

  async run(ids: readonly string[]): Promise<RedriveResult> {
    const { signal } = this.#options
    const progress: RedriveProgress = {
      total: ids.length,
      redriven: 0,
      completed: 0,
      died: 0,
      ended: 0,
      skipped: 0,
      running: 0,
      batch: 0,
    }
    let from = 0
    const result = (stoppedAt: RedriveResult['stoppedAt']): RedriveResult => ({
      ...progress,
      stoppedAt,
      left: ids.length - from,
    })
    for (const size of this.batches(ids.length)) {
      if (signal?.aborted) return result('aborted')
      progress.batch++
      const batch = ids.slice(from, from + size)
      from += await this.#redrive(batch, progress)
      if (signal?.aborted) return result('aborted')
      if (progress.died > this.#maxFailures) return result(progress.batch === 1 ? 'canary' : 'ramp')
    }
    return result('done')
  }

  /** Answers how many of the batch were taken: all, unless the signal fired. */
  async #redrive(batch: readonly string[], progress: RedriveProgress): Promise<number> {
    const { engine, clock } = this.#millrace
    const { signal, onProgress } = this.#options
    const redriven: string[] = []
    let taken = 0
    for (; taken < batch.length && !signal?.aborted; taken += chunkSize) {
      redriven.push(...(await this.#redriveChunk(batch.slice(taken, taken + chunkSize))))
    }
    taken = Math.min(taken, batch.length)
    progress.redriven += redriven.length
    progress.skipped += taken - redriven.length
    progress.running = redriven.length
    onProgress?.({ ...progress })
    const finishing = new Finishing(engine, clock, redriven, signal)
    for await (const ends of finishing) {
      for (const end of ends) {
        if (end === 'completed') progress.completed++
        else if (end === 'dead') progress.died++
        else progress.ended++
        progress.running--
      }
      onProgress?.({ ...progress })
    }
    return taken
  }

  /** Answers which of them were redriven. A store that is away for a moment is asked again. */
  async #redriveChunk(chunk: string[]): Promise<string[]> {
    const { engine, clock } = this.#millrace
    const { signal } = this.#options
    for (let wasLost = false; ; wasLost = true) {
      try {
        const answers = await engine.redrive(chunk)
        // What is not finished after a lost reply is what that call has redriven: it must be waited for.
        return chunk.filter(
          (_, index) => answers[index] === 'redriven' || (wasLost && answers[index] === 'not-finished'),
        )
      } catch (error) {
        if (!isQueueError(error, 'unavailable')) throw error
        await sleep(clock, retryMs, signal).catch(() => {})
        if (signal?.aborted) throw error
      }
    }
  }
}

function bounded(what: string, value: number, least: number, most: number): number {
  const isWhole = what === 'factor' ? Number.isFinite(value) : Number.isInteger(value)
  if (isWhole && value >= least && value <= most) return value
  throw new QueueError('invalid-argument', `${what} must be a number from ${least} to ${most}, not ${value}`)
}
