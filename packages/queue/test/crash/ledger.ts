import { appendFileSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What the processes themselves saw, beside the store that is on trial: one append-only file a process, one line a fact.
 * A line is handed to the kernel before the next step is taken, so it outlives a SIGKILL; a power cut is not played here.
 */
export type Fact =
  | { k: 'hello'; pid: number; worker: string | null; at: number }
  /** A producer is about to enqueue these. */
  | { k: 'intent'; batch: number; specs: WorkSpec[]; keyed: boolean; at: number }
  /** The enqueue was acknowledged. */
  | { k: 'ack'; batch: number; ids: string[]; ns: number[]; at: number }
  | { k: 'refused'; code: string; message: string; at: number }
  | { k: 'start'; id: string; n: number; attempt: number; epoch: number; at: number }
  | { k: 'end'; id: string; n: number; epoch: number; how: 'returned' | 'threw'; at: number }
  /** What the engine answered to the end of an attempt. */
  | { k: 'settle'; id: string; epoch: number; outcome: string; answer: string; at: number }
  /** The work of a step was done. */
  | { k: 'step'; id: string; name: string; epoch: number; token: string; at: number }
  /** The step answered: its record stands. */
  | { k: 'stood'; id: string; name: string; epoch: number; token: string; at: number }
  | { k: 'lost'; id: string; attempt: number; reason: string; at: number }
  /** A look for dead workers' jobs, from its call to its answer. */
  | { k: 'sweep'; from: number; at: number }
  /** The event loop stood still. */
  | { k: 'stall'; from: number; at: number }
  | { k: 'trouble'; where: string; code: string; at: number }

/** Shorter stalls than this are not written down. */
export const unseenStallMs = 10

/** What one job of the storm is to do. */
export interface WorkSpec {
  n: number
  /** Holds the event loop. */
  busyMs: number
  /** Waits without holding it. */
  waitMs: number
  /** How many attempts throw before one returns. */
  failures: number
  /** Completes by `complete(tx)` with a write of its own. */
  viaTx: boolean
  /** Writes progress and log lines. */
  chatty: boolean
}

export class Ledger {
  readonly #fd: number
  /** How many facts it holds. */
  count = 0

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true })
    this.#fd = openSync(join(folder, `${name}.jsonl`), 'a', 0o666)
  }

  write(fact: Fact): void {
    this.count++
    writeSync(this.#fd, `${JSON.stringify(fact)}\n`)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** All facts of one process, in order. A line that its writer did not finish is left out. */
export function readLedger(folder: string, name: string): Fact[] {
  return parse(readFileSync(join(folder, `${name}.jsonl`), 'utf8'))
}

/** All facts of all processes, by ledger name. */
export function readLedgers(folder: string): Map<string, Fact[]> {
  const files = readdirSync(folder).filter(file => file.endsWith('.jsonl'))
  return new Map(
    files.sort().map(file => [file.slice(0, -6), parse(readFileSync(join(folder, file), 'utf8'))]),
  )
}

/** Makes the file exist, so that it can be read before its writer has come up. */
export function touchLedger(folder: string, name: string): void {
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, `${name}.jsonl`), '')
}

/** What a worker has begun and not ended, by its own ledger. */
export function inFlight(folder: string, ledger: string): { id: string; attempt: number; epoch: number }[] {
  const running = new Map<string, { id: string; attempt: number; epoch: number }>()
  for (const fact of readLedger(folder, ledger)) {
    if (fact.k === 'start') running.set(fact.id, { id: fact.id, attempt: fact.attempt, epoch: fact.epoch })
    if (fact.k === 'end') running.delete(fact.id)
  }
  return [...running.values()]
}

function parse(text: string): Fact[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Fact)
}
