import type { ClaimedJob } from '../engine/contract.ts'

/** Claimed jobs that have not started, first come first. */
export class JobBuffer {
  #jobs: ClaimedJob[] = []
  #next = 0

  get size(): number {
    return this.#jobs.length - this.#next
  }

  get next(): ClaimedJob | undefined {
    return this.#jobs[this.#next]
  }

  all(): ClaimedJob[] {
    return this.#jobs.slice(this.#next)
  }

  add(jobs: ClaimedJob[]): void {
    this.#jobs = this.size === 0 ? jobs : [...this.all(), ...jobs]
    this.#next = 0
  }

  /** The caller has seen that there is one. */
  shift(): ClaimedJob {
    return this.#jobs[this.#next++] as ClaimedJob
  }

  /** Takes out those that `wanted` picks. */
  take(wanted: (job: ClaimedJob) => boolean): ClaimedJob[] {
    if (this.size === 0) return []
    const { true: taken = [], false: left = [] } = Object.groupBy(this.all(), job =>
      wanted(job) ? 'true' : 'false',
    )
    this.#jobs = left
    this.#next = 0
    return taken
  }
}
