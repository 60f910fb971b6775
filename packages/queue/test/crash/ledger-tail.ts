import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Fact } from './ledger.ts'

/** Reads a ledger on from where it stopped, for those who look often. */
export class LedgerTail {
  readonly name: string
  readonly #fd: number
  readonly #buffer = Buffer.alloc(1 << 16)
  #at = 0
  #rest = ''

  constructor(folder: string, name: string) {
    this.name = name
    this.#fd = openSync(join(folder, `${name}.jsonl`), 'r')
  }

  /** What was written since the last look. */
  next(): Fact[] {
    for (;;) {
      const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#at)
      if (length === 0) break
      this.#at += length
      // One byte a character, as a character may end in the next piece.
      this.#rest += this.#buffer.toString('latin1', 0, length)
    }
    const lines = this.#rest.split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map(line => JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as Fact)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
