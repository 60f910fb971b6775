import { execFile, type ExecFileException } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { shown } from './numbers.ts'
import { type Result, result } from './result.ts'

/** One measurement of the bench. */
export interface Figure<Of extends Bench = Bench> {
  name: string
  about: string
  measure(bench: Of): Promise<Result[]>
}

/** The part of a figure that runs in a process of its own. Numbers in, numbers out. */
export type Side = (input: SideInput) => Promise<Record<string, number>>
export type Sides = Record<string, Side>
export interface SideInput {
  /** The store: `file:…`, `postgres://…`, `redis://…`. */
  url: string
  /** How many jobs; of what does not count jobs, how many seconds. */
  count: number
  /** How many of them a second, where they come at an even pace. */
  perSecond: number
  /** Whether the enqueues are in a process of their own. */
  apart: boolean
  /** How long to go on at that pace after a backlog. */
  pacedSeconds: number
  /** Whether the transaction that is left open has written something. */
  writer: boolean
  /** When to begin, by `sharedNow`; 0 for at once. */
  startAtMs: number
  /** Process id of the database server, to tell its CPU time; 0 where there is none. */
  server: number
}

/** A queue that ours is measured against. */
export interface Peer {
  /** The module in `subjects/`. */
  subject: string
  title: string
  /** Why it can't be measured here. */
  missing?: string
  /** The part of a figure's jobs that is enough to see its rate, where that does not depend on the number. */
  share?: { work?: number; bulk?: number; awaits?: number }
}

/** Numbers by subject, one a round. */
export type Found = Record<string, number[]>
export type Store = Pick<SideInput, 'url' | 'server'>

/** A run of the bench on one engine. */
export abstract class Bench {
  readonly quick: boolean
  readonly #say: (line: string) => void

  constructor(options: { quick: boolean; say: (line: string) => void }) {
    this.quick = options.quick
    this.#say = options.say
  }

  abstract readonly peers: readonly Peer[]

  /** Runs `use` with a store of its own that holds `jobs` ready jobs of a subject, at rest; removes it afterwards. */
  abstract withStore<T>(subject: string, jobs: number, use: (store: Store) => Promise<T>): Promise<T>

  /** Runs `use` with a store that `fill` fills at its first use, and that is kept for the run. Who uses it only reads. */
  abstract withKept<T>(
    name: string,
    fill: (store: Store) => Promise<unknown>,
    use: (store: Store) => Promise<T>,
  ): Promise<T>

  /** What servers there are, and how they are set up. */
  abstract describe(): Promise<string>
  /** Ends what was started for the run, and removes it. */
  abstract stop(): Promise<void>

  /** The first in quick runs, the second in whole ones. */
  pick(quick: number, whole: number): number {
    return this.quick ? quick : whole
  }

  say(line: string): void {
    this.#say(line)
  }

  /** The peers of these subjects, in that order. */
  peersOf(...subjects: string[]): Peer[] {
    return this.peers.filter(({ subject }) => subjects.includes(subject))
  }

  /** Runs one side of a subject in a fresh process. */
  run(
    subject: string,
    side: string,
    input: Partial<SideInput> & Store,
    nodeArgs: string[] = [],
  ): Promise<Record<string, number>> {
    return runSide(subjectModule(subject), side, input, nodeArgs)
  }

  /** Measures in turn: ours, peer, ours, peer … so that a change of the machine's mood meets all. */
  async rounds(
    name: string,
    rounds: number,
    measures: Record<string, (() => Promise<number>) | null>,
  ): Promise<Found> {
    const found: Found = Object.fromEntries(Object.keys(measures).map(key => [key, []]))
    for (let round = 1; round <= rounds; round++) {
      const latest: string[] = []
      for (const [key, measure] of Object.entries(measures)) {
        if (!measure) continue
        const number = await measure()
        found[key]?.push(number)
        latest.push(`${key} ${shown(number)}`)
      }
      this.#say(`  ${name}, round ${round} of ${rounds}: ${latest.join(', ')}`)
    }
    return found
  }

  /** `rounds` of ours and of the peers that are at hand. */
  compare(
    name: string,
    rounds: number,
    peers: readonly Peer[],
    measure: (subject: string, peer: Peer | null) => Promise<number>,
  ): Promise<Found> {
    const at = (subject: string, peer: Peer | null) => () => measure(subject, peer)
    const sides = peers
      .filter(peer => !peer.missing)
      .map(peer => [peer.subject, at(peer.subject, peer)] as const)
    return this.rounds(name, rounds, { ours: at('ours', null), ...Object.fromEntries(sides) })
  }

  /** A row for each peer; where there is none, a row of ours. */
  results(
    name: string,
    unit: string,
    found: Found,
    peers: readonly Peer[],
    note?: (peer: Peer | null) => string | undefined,
  ): Result[] {
    const ours = found['ours'] ?? []
    if (peers.length === 0) return [result(name, unit, { ours }, null, note?.(null))]
    return peers.map(peer =>
      peer.missing
        ? result(name, unit, { ours }, null, peer.missing)
        : result(name, unit, { ours, peer: found[peer.subject] ?? [] }, peer.title, note?.(peer)),
    )
  }
}

export function subjectModule(subject: string): string {
  return new URL(`./subjects/${subject}.ts`, import.meta.url).href
}

const mostMinutes = 30
const plain = { count: 0, perSecond: 0, pacedSeconds: 0, apart: false, writer: false, startAtMs: 0 }

/** Runs one side of a module in a fresh process. */
export function runSide(
  module: string,
  name: string,
  input: Partial<SideInput> & Store,
  nodeArgs: string[] = [],
): Promise<Record<string, number>> {
  const child = fileURLToPath(new URL('./child.ts', import.meta.url))
  const args = ['--conditions=millrace-source', '--disable-warning=ExperimentalWarning', ...nodeArgs]
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [...args, child, module, name, JSON.stringify({ ...plain, ...input })],
      { maxBuffer: 2 ** 24, timeout: mostMinutes * 60_000, killSignal: 'SIGKILL' },
      (error: ExecFileException | null, stdout, stderr) => {
        if (error) return reject(new Error(`${name} of ${module} failed:\n${stderr || error.message}`))
        const last = stdout.trim().split('\n').at(-1) ?? ''
        try {
          resolve(JSON.parse(last) as Record<string, number>)
        } catch {
          reject(new Error(`${name} of ${module} printed no numbers:\n${stdout}`))
        }
      },
    )
  })
}
