import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { percentile } from '../numbers.ts'
import { operatorToken } from './http-jobs.ts'

/** What the bench uses of autocannon; said here, because it is installed only for the bench. */
interface Instance {
  on(event: 'response', listener: (client: unknown, status: number, bytes: number, ms: number) => void): void
}
interface Totals {
  errors: number
  timeouts: number
}
type Cannon = (options: object, done: (error: Error | null, totals: Totals) => void) => Instance

const module = 'autocannon'

/** Latencies in milliseconds. */
export interface Loaded {
  rate: number
  count: number
  p50: number
  p99: number
}

export interface Load {
  method: 'GET' | 'POST'
  /** One after the other, and again from the beginning. */
  requests: { path: string; body?: string }[]
  connections: number
  seconds: number
  /** Any other is an error. */
  status: number
}

const headers = { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' }

/** Fires requests from this process for some seconds, each connection the next one as soon as it has its answer. */
export async function load(url: string, of: Load): Promise<Loaded> {
  const { default: cannon } = (await import(module)) as { default: Cannon }
  const { method, requests, connections, seconds, status } = of
  const times: number[] = []
  const others = new Map<number, number>()
  const startedAt = performance.now()
  const totals = await new Promise<Totals>((resolve, reject) => {
    const instance = cannon(
      {
        url,
        connections,
        duration: seconds,
        method,
        headers,
        requests,
      },
      (error, totals) => (error ? reject(error) : resolve(totals)),
    )
    instance.on('response', (_, said, __, ms) => {
      if (said === status) times.push(ms)
      else others.set(said, (others.get(said) ?? 0) + 1)
    })
  })
  const elapsedSeconds = (performance.now() - startedAt) / 1_000
  if (totals.errors > 0 || others.size > 0 || times.length === 0)
    throw new Error(
      `${totals.errors} requests failed, ${totals.timeouts} of them by time; other statuses: ${JSON.stringify([...others])}`,
    )
  return loaded(times, elapsedSeconds)
}

function loaded(times: number[], elapsedSeconds: number): Loaded {
  return {
    rate: times.length / elapsedSeconds,
    count: times.length,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  }
}

/**
 * Asks for a page so often a second at even intervals, whether the ones before are answered or not: autocannon, told a rate,
 * fires each second's requests at the second's beginning. Times run from when a request was due.
 */
export async function loadEvenly(
  url: string,
  of: { path: string; perSecond: number; seconds: number },
): Promise<Loaded> {
  const agent = new Agent({ keepAlive: true })
  const ask = (dueAt: number): Promise<number> =>
    new Promise((resolve, reject) => {
      get(new URL(of.path, url), { agent, headers }, response => {
        if (response.statusCode !== 200) reject(new Error(`${of.path} answers ${response.statusCode}`))
        response.resume().on('end', () => resolve(performance.now() - dueAt))
      }).on('error', reject)
    })
  const startedAt = performance.now()
  const asked: Promise<number>[] = []
  for (let n = 0; n < of.perSecond * of.seconds; n++) {
    const dueAt = startedAt + (n * 1_000) / of.perSecond
    await sleep(Math.max(0, dueAt - performance.now()))
    // What is due while this process was kept from running is asked for at once, and its wait counts.
    asked.push(ask(Math.min(dueAt, performance.now())))
  }
  const times = await Promise.all(asked)
  agent.destroy()
  return loaded(times, (performance.now() - startedAt) / 1_000)
}

export interface Report {
  cpuMicros: number
  peakRssMb: number
}

export interface ServerProcess extends AsyncDisposable {
  url: string
  /** Begins to count the CPU time. */
  mark(): void
  report(): Promise<Report>
}

/** Starts a server in a process of its own, with the Node options of this one. */
export async function startServer(kind: 'ours' | 'working' | 'raw', store: string): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL('../http-server.ts', import.meta.url)), [kind, store])
  const url = await firstMessage<string>(child)
  return {
    url,
    mark: () => void child.send('mark'),
    report: () => {
      child.send('report')
      return firstMessage<Report>(child)
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

async function firstMessage<Message>(child: ChildProcess): Promise<Message> {
  const ended = once(child, 'exit').then(([code]: unknown[]) => {
    throw new Error(`the server ended with ${String(code)}`)
  })
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [Message]
  ended.catch(() => {})
  return message
}

/** Asks with the operator's token; throws for anything but 2xx. */
export async function ask<Body>(url: string, path: string, init: RequestInit = {}): Promise<Body> {
  const response = await fetch(url + path, { ...init, headers })
  if (!response.ok) throw new Error(`${path} answers ${response.status}: ${await response.text()}`)
  return (await response.json()) as Body
}
