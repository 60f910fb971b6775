import type { Millrace } from 'millrace'
import { Counter, Histogram, type Registry } from 'prom-client'
import { BoundedNames } from './bounded-names.ts'

/** Each pair of a type and a queue is a series, so each is bounded by itself. */
const typesShown = 100
const queuesShown = 20

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600]

/** What the workers of this process do, counted as it happens. */
export class AttemptMetrics {
  readonly #types = new BoundedNames(typesShown)
  readonly #queues = new BoundedNames(queuesShown)
  readonly #registry: Registry

  constructor(millrace: Millrace, registry: Registry) {
    this.#registry = registry
    const completed = this.#counter('millrace_jobs_completed_total', 'Jobs that workers here completed.')
    const failed = this.#counter(
      'millrace_attempts_failed_total',
      'Attempts that failed here, the last one of a job included.',
    )
    const dead = this.#counter('millrace_jobs_dead_total', 'Jobs that died here.')
    const rescued = this.#counter(
      'millrace_jobs_rescued_total',
      'Jobs that were taken from workers that had stopped beating.',
    )
    const lost = this.#counter('millrace_leases_lost_total', 'Attempts here that lost their lease.')
    const ran = this.#histogram('millrace_job_run_seconds', 'How long attempts ran here, by job type.')
    const waited = this.#histogram(
      'millrace_job_wait_seconds',
      'How long jobs were due before an attempt began here, by job type.',
    )
    millrace.on('started', ({ type, waitedMs }) => this.#observe(waited, type, waitedMs))
    millrace.on('completed', ({ ranMs, ...job }) => {
      completed.inc(this.#labels(job))
      this.#observe(ran, job.type, ranMs)
    })
    millrace.on('retrying', ({ ranMs, ...job }) => {
      failed.inc(this.#labels(job))
      this.#observe(ran, job.type, ranMs)
    })
    millrace.on('dead', ({ ranMs, ...job }) => {
      const labels = this.#labels(job)
      failed.inc(labels)
      dead.inc(labels)
      this.#observe(ran, job.type, ranMs)
    })
    millrace.on('rescued', job => {
      rescued.inc(this.#labels(job))
      if (job.now === 'dead') dead.inc(this.#labels(job))
    })
    millrace.on('lease-lost', job => lost.inc(this.#labels(job)))
  }

  #labels({ type, queue }: { type: string; queue: string }) {
    return { type: this.#types.label(type), queue: this.#queues.label(queue) }
  }

  #observe(histogram: Histogram<'type'>, type: string, ms: number): void {
    histogram.observe({ type: this.#types.label(type) }, Math.max(0, ms) / 1_000)
  }

  #counter(name: string, help: string): Counter<'type' | 'queue'> {
    return new Counter({ name, help, labelNames: ['type', 'queue'], registers: [this.#registry] })
  }

  #histogram(name: string, help: string): Histogram<'type'> {
    return new Histogram({ name, help, labelNames: ['type'], buckets: seconds, registers: [this.#registry] })
  }
}
