import type { Millrace } from 'millrace'
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import { AttemptMetrics } from './attempt-metrics.ts'
import { readStore } from './store-metrics.ts'

/** Gauges that the library names like counters: a strict reader refuses them. Each has a twin by kind that stays. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** What this server counts by itself, and what the store tells when somebody looks. Nothing is registered globally. */
export class Metrics {
  readonly #millrace: Millrace
  readonly #registry = new Registry()
  readonly #requests: Counter<'operation' | 'status'>
  readonly #tookSeconds: Histogram<'operation'>
  #watchesProcess = false

  constructor(millrace: Millrace) {
    this.#millrace = millrace
    const registers = [this.#registry]
    this.#requests = new Counter({
      name: 'millrace_http_requests_total',
      help: 'HTTP requests by operation and class of status.',
      labelNames: ['operation', 'status'],
      registers,
    })
    this.#tookSeconds = new Histogram({
      name: 'millrace_http_request_duration_seconds',
      help: 'How long it took until an answer began, by operation.',
      labelNames: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    })
    new AttemptMetrics(millrace, this.#registry)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Operations are few and named by us, so their number is bounded. */
  request(operation: string, status: number, tookMs: number): void {
    this.#requests.inc({ operation, status: `${Math.floor(status / 100)}xx` })
    this.#tookSeconds.observe({ operation }, tookMs / 1_000)
  }

  /** All of it, in the text format of Prometheus. A store that is away is told by `millrace_store_up`, not by an error. */
  async read(): Promise<string> {
    this.#watchProcess()
    const store = await readStore(this.#millrace)
    const text = (await this.#registry.metrics()) + (await store.metrics())
    // What has no value yet is spelt NaN in this format, and Nan by the library.
    return text.replaceAll(/ Nan$/gm, ' NaN')
  }

  /** From the first look on: watching costs something, and most who make an API for a test never look. */
  #watchProcess(): void {
    if (this.#watchesProcess) return
    this.#watchesProcess = true
    collectDefaultMetrics({ register: this.#registry })
    for (const name of misnamed) this.#registry.removeSingleMetric(name)
  }
}
