import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { DeadGroupDocument, FlowDocument, JobDocument, JobSummary, NodeDocument } from '@millrace/api'
import type { BulkPlan, BulkResult, Job, RedrivePlan, Replay, StateCounts } from 'millrace'

const bin = fileURLToPath(new URL('../bin/millrace.js', import.meta.url))
export const config = fileURLToPath(new URL('./fixtures/millrace.config.ts', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Everything that some document or event holds; tests read what theirs should. */
type Answer = Omit<JobDocument, 'result'> & {
  result: unknown
  duplicate: boolean
  cause: string
  groups: DeadGroupDocument[]
  flows: FlowDocument[]
  nodes: NodeDocument[]
  steps: Replay['steps']
  plan: BulkPlan & BulkResult & RedrivePlan
  jobs: (JobSummary & Pick<Job, 'attributes'>)[]
  attributes: Job['attributes']
  looked: number
  complete: boolean
  cursor: string | null
  schedules: { name: string; next: string[] }[]
  total: StateCounts
  pending: { of: string; version: number; name: string; sql: string }[]
  url: string
}

/** A working directory of its own, and real `millrace` processes in it. */
export class Workplace implements AsyncDisposable {
  readonly folder: string
  readonly #env: NodeJS.ProcessEnv
  readonly #running = new Set<ChildProcess>()

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.folder = folder
    this.#env = env
  }

  /** The environment is that of all its processes. */
  static async make(env: NodeJS.ProcessEnv = {}): Promise<Workplace> {
    return new Workplace(await mkdtemp(join(tmpdir(), 'millrace-cli-')), env)
  }

  /** Runs one command to its end. */
  async run(
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; input?: string } = {},
  ): Promise<Ended> {
    const process = this.start(args, options.env)
    process.child.stdin?.end(options.input ?? '')
    return process.ended
  }

  /** Runs one command with `--json` and reads its only document. */
  async json(args: readonly string[]): Promise<Answer> {
    const { stdout, stderr, code } = await this.run([...args, '--json'])
    if (stderr !== '') throw new Error(`exit code ${code}, and on standard error: ${stderr}`)
    return JSON.parse(stdout)
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningCommand {
    const child = spawn(process.execPath, ['--conditions=millrace-source', bin, ...args], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ...this.#env, ...env },
      stdio: 'pipe',
    })
    this.#running.add(child)
    child.once('close', () => this.#running.delete(child))
    return new RunningCommand(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [...this.#running].map(child => new Promise(resolve => child.once('close', resolve)))
    for (const child of this.#running) child.kill('SIGKILL')
    await Promise.all(closed)
    await rm(this.folder, { recursive: true, force: true })
  }
}

interface Waiter {
  matches(line: string): boolean
  resolve(line: string): void
  reject(error: Error): void
}

export class RunningCommand {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly #lines: string[] = []
  readonly #waiters = new Set<Waiter>()

  constructor(child: ChildProcess) {
    this.child = child
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', data => {
      stdout += String(data)
    })
    child.stderr?.on('data', data => {
      stderr += String(data)
    })
    if (child.stdout) createInterface(child.stdout).on('line', line => this.#hear(line))
    this.ended = new Promise(resolve =>
      child.once('close', code => {
        resolve({ code, stdout, stderr })
        for (const { reject } of this.#waiters)
          reject(new Error(`it ended first, saying: ${stdout}${stderr}`))
      }),
    )
  }

  /** The first line, seen already or to come, that holds the text. */
  line(text: string): Promise<string> {
    const known = this.#lines.find(line => line.includes(text))
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      this.#waiters.add({ matches: line => line.includes(text), resolve, reject })
    })
  }

  /** The first event of that name, of a command with `--json`. */
  async event(name: string): Promise<Answer> {
    return JSON.parse(await this.line(`"event":"${name}"`))
  }

  #hear(line: string): void {
    this.#lines.push(line)
    for (const waiter of this.#waiters)
      if (waiter.matches(line)) {
        this.#waiters.delete(waiter)
        waiter.resolve(line)
      }
  }
}
