import { execFile, type ExecFileException } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the bench prints of each figure. `ratio` is ours by peer: above 1 is good for rates, below 1 for times and sizes. */
export interface Result {
  name: string
  ours: number
  peer: number | null
  peerName: string | null
  ratio: number | null
  unit: string
  rounds: number
  spread: { ours: [min: number, max: number]; peer: [min: number, max: number] | null }
  /** What a reader should know, such as why there is no peer. */
  note?: string
}

/** One measurement of the bench. Its module also exports `sides`: what runs in the child processes. */
export interface Figure {
  name: string
  about: string
  measure(bench: Bench): Promise<Result[]>
}

/** The part of a figure that runs in a process of its own. Numbers in, numbers out. */
export type Side = (input: SideInput) => Promise<Record<string, number>>
export interface SideInput {
  /** A fresh folder on disk. */
  folder: string
  count: number
  redisUrl: string
}
export type Sides = Record<string, Side>

/** A Redis for the peer, or why there is none. */
export type Redis = { url: string; name: string } | { url: null; reason: string }

export class Bench {
  readonly quick: boolean
  readonly redis: Redis
  readonly #root: string
  readonly #say: (line: string) => void
  readonly #templates = new Map<string, Promise<string>>()

  constructor(options: { quick: boolean; redis: Redis; root: string; say: (line: string) => void }) {
    this.quick = options.quick
    this.redis = options.redis
    this.#root = options.root
    this.#say = options.say
  }

  /** The first in quick runs, the second in whole ones. */
  pick(quick: number, whole: number): number {
    return this.quick ? quick : whole
  }

  say(line: string): void {
    this.#say(line)
  }

  /** Runs `use` with a fresh folder on disk, and removes it. */
  async withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    mkdirSync(this.#root, { recursive: true })
    const folder = mkdtempSync(join(this.#root, 'round-'))
    try {
      return await use(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** A store that is made once in a run, and copied for each round that starts from it. */
  template(name: string, fill: (folder: string) => Promise<unknown>): Promise<string> {
    const made = this.#templates.get(name) ?? this.#make(name, fill)
    this.#templates.set(name, made)
    return made
  }

  async #make(name: string, fill: (folder: string) => Promise<unknown>): Promise<string> {
    const folder = join(this.#root, name)
    mkdirSync(folder, { recursive: true })
    await fill(folder)
    return folder
  }

  /** Runs `use` with a fresh copy of a template, written through to the disk. */
  withCopy<T>(template: string, use: (folder: string) => Promise<T>): Promise<T> {
    return this.withFolder(async folder => {
      for (const file of readdirSync(template)) {
        copyFileSync(join(template, file), join(folder, file))
        const fd = openSync(join(folder, file), 'r+')
        fsyncSync(fd)
        closeSync(fd)
      }
      return use(folder)
    })
  }

  /** Runs one side of a figure's module in a fresh process. */
  side(
    module: string,
    name: string,
    input: Partial<SideInput> & { folder: string },
    nodeArgs: string[] = [],
  ): Promise<Record<string, number>> {
    return runSide(module, name, { count: 0, redisUrl: this.redis.url ?? '', ...input }, nodeArgs)
  }

  /** Measures in turn: ours, peer, ours, peer … so that a change of the machine's mood meets all. */
  async rounds<Name extends string>(
    name: string,
    rounds: number,
    measures: Record<Name, (() => Promise<number>) | null>,
  ): Promise<Record<Name, number[]>> {
    const entries = Object.entries(measures) as [Name, (() => Promise<number>) | null][]
    const found = Object.fromEntries(entries.map(([key]) => [key, []])) as unknown as Record<Name, number[]>
    for (let round = 1; round <= rounds; round++) {
      const latest: string[] = []
      for (const [key, measure] of entries) {
        if (!measure) continue
        const number = await measure()
        found[key].push(number)
        latest.push(`${key} ${shown(number)}`)
      }
      this.#say(`  ${name}, round ${round} of ${rounds}: ${latest.join(', ')}`)
    }
    return found
  }

  /** Ours against BullMQ; without a Redis, the reason stands in its place. */
  againstBull(name: string, unit: string, ours: number[], bull: number[]): Result {
    const { redis } = this
    if (redis.url === null) return result(name, unit, { ours }, null, redis.reason)
    return result(name, unit, { ours, peer: bull }, redis.name)
  }
}

export function runSide(
  module: string,
  name: string,
  input: SideInput,
  nodeArgs: string[] = [],
): Promise<Record<string, number>> {
  const child = fileURLToPath(new URL('./child.ts', import.meta.url))
  const args = ['--conditions=millrace-source', '--disable-warning=ExperimentalWarning', ...nodeArgs]
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [...args, child, module, name, JSON.stringify(input)],
      { maxBuffer: 2 ** 24 },
      (error: ExecFileException | null, stdout, stderr) => {
        if (error) return reject(new Error(`${name} of ${module} failed:\n${stderr || error.message}`))
        resolve(JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, number>)
      },
    )
  })
}

export function result(
  name: string,
  unit: string,
  found: { ours: number[]; peer?: number[] },
  peerName: string | null = null,
  note?: string,
): Result {
  const ours = median(found.ours)
  const peer = found.peer && found.peer.length > 0 ? median(found.peer) : null
  return {
    name,
    ours: round(ours),
    peer: peer === null ? null : round(peer),
    peerName,
    ratio: peer === null || peer === 0 ? null : round(ours / peer),
    unit,
    rounds: found.ours.length,
    spread: { ours: spread(found.ours), peer: peer === null ? null : spread(found.peer as number[]) },
    ...(note === undefined ? {} : { note }),
  }
}

export function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2
}

/** The value that `part` (0 to 1) of the numbers do not exceed. */
export function percentile(numbers: number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}

function spread(numbers: number[]): [number, number] {
  return [round(Math.min(...numbers)), round(Math.max(...numbers))]
}

/** Three significant digits after the point are more than any of these deserves. */
function round(number: number): number {
  return Math.abs(number) >= 1_000 ? Math.round(number) : Number(number.toPrecision(4))
}

export function shown(number: number): string {
  return round(number).toLocaleString('en-US', { maximumFractionDigits: 3 })
}
