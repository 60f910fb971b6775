import { firstId, isId, lastId } from '../job/id.ts'
import { isTerminal, jobStates } from '../job/state.ts'
import type { JobFilter } from './contract.ts'
import { QueueError } from './errors.ts'

/** An id is made by the enqueuer's clock, and `createdAt` by the engine's: they are taken to differ by less. */
const clocksDifferMs = 86_400_000
/** Of the jobs that have an attribute, so many are counted, to walk down the rarest. */
export const countedAtMost = 1_000
/** Jobs that one page looks at. Where too few of them fit, it is short, and its cursor goes on. */
const walkAtMost = 5_000
const walkStep = 500

export function hasAttributes(filter: JobFilter): boolean {
  return filter.attributes !== undefined && Object.keys(filter.attributes).length > 0
}

/**
 * One page of jobs found by their attributes: down the ids of those that have one of them, the newest first, looking at each
 * for the rest of the filter. The engine reads, `need` rows at a time, what stands below `below`; this keeps the account.
 */
export class AttributeWalk {
  readonly attributes: [name: string, value: string][]
  /** No job from here on is of interest: the walk ends above. */
  readonly above: string
  readonly #limit: number
  readonly #found: string[] = []
  #below: string
  #walked = 0
  #ended = false

  constructor(filter: JobFilter, page: { cursor?: string; limit: number }) {
    this.attributes = Object.entries(filter.attributes ?? {})
    const from = page.cursor === undefined ? lastId : readCursor(page.cursor)
    // Made after that, it can neither have been created nor have finished before.
    const latest = filter.until === undefined ? lastId : firstId(filter.until + clocksDifferMs)
    this.#below = from < latest ? from : latest
    // One that has finished since may have been made at any time.
    const early = filter.from === undefined || (filter.states ?? jobStates).some(isTerminal)
    this.above = firstId(early ? 0 : (filter.from as number) - clocksDifferMs)
    this.#limit = page.limit
  }

  get below(): string {
    return this.#below
  }

  /** The attribute to walk down, and the others, to be looked for. `counts`: how many have each, up to `countedAtMost`. */
  choose(counts: readonly number[]): { walked: [name: string, value: string]; others: [string, string][] } {
    const rarest = Math.max(0, counts.indexOf(Math.min(...counts)))
    return {
      walked: this.attributes[rarest] as [string, string],
      others: this.attributes.filter((_, index) => index !== rarest),
    }
  }

  /** How many to look at next; 0 when the page is done. */
  get need(): number {
    if (this.#ended || this.#walked >= walkAtMost || this.#found.length > this.#limit) return 0
    return this.#walked === 0 ? this.#limit + 1 : walkStep
  }

  /** What was read: in the order of ids, the highest first, as many as were needed or all that there are. */
  take(rows: readonly { id: string; fits: boolean }[]): void {
    if (rows.length < this.need) this.#ended = true
    this.#walked += rows.length
    this.#below = rows.at(-1)?.id ?? this.#below
    for (const { id, fits } of rows) if (fits) this.#found.push(id)
  }

  get ids(): string[] {
    return this.#found.slice(0, this.#limit)
  }

  get cursor(): string | null {
    if (this.#found.length > this.#limit) return writeCursor(this.#found[this.#limit - 1] as string)
    return this.#ended ? null : writeCursor(this.#below)
  }
}

function writeCursor(below: string): string {
  return Buffer.from(JSON.stringify(['attribute', below])).toString('base64url')
}

function readCursor(cursor: string): string {
  try {
    const [kind, below] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (kind === 'attribute' && typeof below === 'string' && isId(below)) return below.toLowerCase()
  } catch {
    // Told below.
  }
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that this list has given; start from the first page',
  )
}
