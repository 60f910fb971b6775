import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** What a child tells its parent. */
export type Report =
  | { kind: 'ready'; worker: string | null }
  | { kind: 'acked'; count: number }
  | { kind: 'answer'; answer: unknown }

/** What the parent tells a child. */
export type Order = { kind: 'stop' } | { kind: 'hurry' }

export interface Death {
  code: number | null
  signal: NodeJS.Signals | null
  /** When the parent saw that it was gone: no later act of the process is possible. */
  at: number
}

const alive = new Set<Child>()

/** Ends what a failed scenario left behind. */
export async function killAllChildren(): Promise<void> {
  await Promise.all([...alive].map(child => child.kill()))
}

/** A real process that runs one of the programs in `children/`. */
export class Child {
  readonly ledger: string
  readonly exited: Promise<Death>
  readonly #process: ChildProcess
  readonly #reports: Report[] = []
  readonly #listeners = new Set<() => void>()
  #stderr = ''
  #dead = false

  constructor(
    program: string,
    input: { ledger: string } & Record<string, unknown>,
    user: { uid?: number; gid?: number } = {},
  ) {
    this.ledger = input.ledger
    const { NODE_OPTIONS: _ignored, ...env } = process.env
    this.#process = fork(
      fileURLToPath(new URL(`./children/${program}.ts`, import.meta.url)),
      [JSON.stringify(input)],
      {
        execPath: process.execPath,
        execArgv: ['--conditions=millrace-source', '--disable-warning=ExperimentalWarning'],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env,
        ...user,
      },
    )
    this.#process.stderr?.on('data', data => {
      this.#stderr = (this.#stderr + String(data)).slice(-4_000)
    })
    this.#process.on('message', report => {
      this.#reports.push(report as Report)
      for (const listener of [...this.#listeners]) listener()
    })
    this.exited = new Promise(resolve => {
      this.#process.on('exit', (code, signal) => {
        this.#dead = true
        alive.delete(this)
        resolve({ code, signal, at: Date.now() })
        for (const listener of [...this.#listeners]) listener()
      })
    })
    alive.add(this)
  }

  get pid(): number {
    return this.#process.pid as number
  }

  get dead(): boolean {
    return this.#dead
  }

  /** What the process said on its way down. */
  get stderr(): string {
    return this.#stderr
  }

  /** The first report of a kind; null when the process is gone without one. */
  async report<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }> | null> {
    for (;;) {
      const found = this.#reports.find(report => report.kind === kind)
      if (found) return found as Extract<Report, { kind: Kind }>
      if (this.#dead) return null
      await new Promise<void>(resolve => {
        const listener = (): void => {
          this.#listeners.delete(listener)
          resolve()
        }
        this.#listeners.add(listener)
      })
    }
  }

  /** Fails with the process's own words when it does not come up. */
  async ready(): Promise<string> {
    const report = await this.report('ready')
    if (!report) throw new Error(`${this.ledger} ended before it was ready:\n${this.#stderr}`)
    return report.worker ?? ''
  }

  /** Calls back for each report, those before this call included. */
  each(onReport: (report: Report) => void): void {
    let seen = 0
    const listener = (): void => {
      while (seen < this.#reports.length) onReport(this.#reports[seen++] as Report)
    }
    this.#listeners.add(listener)
    listener()
  }

  send(order: Order): void {
    if (!this.#dead && this.#process.connected) this.#process.send(order, () => {})
  }

  async kill(): Promise<Death> {
    if (!this.#dead) this.#process.kill('SIGKILL')
    return this.exited
  }

  /** Stops the process where it stands; answers when it is sure to stand. */
  async freeze(): Promise<void> {
    this.#process.kill('SIGSTOP')
    while (!this.isFrozen()) await wait(1)
  }

  isFrozen(): boolean {
    if (this.#dead) throw new Error(`${this.ledger} died where it was to freeze`)
    const status = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    return status.slice(status.lastIndexOf(')') + 2).startsWith('T')
  }

  thaw(): void {
    this.#process.kill('SIGCONT')
  }

  /** Asks it to end by itself. Throws its last words when it ended badly. */
  async stop(): Promise<void> {
    this.send({ kind: 'stop' })
    const death = await this.exited
    if (death.code !== 0)
      throw new Error(`${this.ledger} ended with ${death.code ?? death.signal}:\n${this.#stderr}`)
  }
}
