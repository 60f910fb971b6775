import { nextTurn } from '../engine/clock.ts'
import type { Engine, JobFilter, JobRecord } from '../engine/contract.ts'
import { hasAttributes } from '../engine/attribute-walk.ts'
import { QueueError } from '../engine/errors.ts'
import { checkText } from '../enqueue.ts'
import { isTerminal, type JobState, jobStates } from '../job/state.ts'
import { type Job, viewJob } from '../job-view.ts'
import type { Millrace } from '../queue.ts'
import { checkAttributeFilter } from '../search-attributes.ts'
import { contains } from './search-text.ts'
import { readSearchCursor, type SearchPlace, writeSearchCursor } from './search-cursor.ts'

export interface SearchOptions {
  /** Only among these jobs. */
  filter?: JobFilter
  /** How many jobs to answer, 1 to 1,000. Default 50. */
  limit?: number
  /** How many jobs to look at, 1 to 1,000,000. Default 10,000. */
  look?: number
  /** Looks at no further page once this much time has passed, 0 to 600,000. Default 2,000. */
  budgetMs?: number
  /** Where an earlier search, with the same text and filter, has stopped. */
  cursor?: string
}

export interface SearchResult {
  /** The newest first: by when they finished, or were created. With `filter.attributes` by their ids. */
  jobs: Job[]
  /** How many jobs were looked at this time. */
  looked: number
  /** Every job was looked at: there is no more to find. */
  complete: boolean
  /**
   * Everything newer has been looked at, since the first search of the same cursor; in epoch milliseconds. Null while nothing
   * has been.
   */
  lookedBackTo: number | null
  /** Hand it back to go on; null when complete. Opaque. */
  cursor: string | null
}

/** Jobs read at once: when they are suddenly large, that many of 1 MiB are held. */
const pageAtMost = 50
const pageAtFirst = 20
/** A page of more text than this is followed by a smaller one. */
const pageBytes = 4 * 2 ** 20

/** A walk over some of the jobs, from the newest down. */
interface Lane {
  states: JobState[]
  place: SearchPlace
}

/**
 * Jobs whose payload (as JSON) or last error (name, message) contains a text, whatever its case. It reads the newest jobs, so
 * many and for so long: for what must be found among millions, declare a search attribute. Throws `invalid-argument`.
 */
export async function search(
  millrace: Pick<Millrace, 'engine' | 'clock'>,
  text: string,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const { filter, limit, look, budgetMs } = checked(text, options)
  const { engine, clock } = millrace
  const until = clock.monotonic() + budgetMs
  const { lanes, pending } = begin(filter, options.cursor)
  const found = new Map<string, JobRecord>()
  for (const job of await engine.get(pending.slice(0, limit))) if (job) found.set(job.id, job)
  const left = pending.slice(limit)
  let looked = 0
  let size = pageAtFirst
  for (let lane = newest(lanes); lane && left.length === 0 && found.size < limit && looked < look; ) {
    const jobs = await nextPage(engine, filter, lane, Math.min(size, look - looked))
    looked += jobs.length
    for (const job of jobs.filter(each => !found.has(each.id) && contains(each, text)))
      if (found.size < limit) found.set(job.id, job)
      else left.push(job.id)
    size = nextSize(size, jobs)
    if (clock.monotonic() >= until) break
    lane = newest(lanes)
    // An embedded engine answers without letting anybody else have a turn.
    await new Promise<void>(nextTurn)
  }
  const complete = left.length === 0 && newest(lanes) === undefined
  const places = lanes.map(each => each.place)
  const now = clock.now()
  return {
    jobs: [...found.values()].sort(byAge(filter)).map(job => viewJob(job, now)),
    looked,
    complete,
    lookedBackTo: lookedBackTo(lanes),
    cursor: complete ? null : writeSearchCursor(places, left),
  }
}

/** Reads the lane's next page, and leaves it behind. */
async function nextPage(engine: Engine, filter: JobFilter, lane: Lane, limit: number): Promise<JobRecord[]> {
  const { cursor: from, at } = lane.place
  const page = from === null ? { limit } : { limit, cursor: from }
  const { jobs, cursor } = await engine.list({ ...filter, states: lane.states }, page)
  lane.place = { cursor, done: cursor === null, at: reached(jobs, filter) ?? at }
  return jobs
}

function checked(text: string, options: SearchOptions): Required<Omit<SearchOptions, 'cursor'>> {
  checkText('the text to search for', text, 500)
  checkAttributeFilter(options.filter?.attributes)
  return {
    filter: options.filter ?? {},
    limit: whole('limit', options.limit ?? 50, 1, 1_000),
    look: whole('look', options.look ?? 10_000, 1, 1_000_000),
    budgetMs: whole('budgetMs', options.budgetMs ?? 2_000, 0, 600_000),
  }
}

function whole(what: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new QueueError(
    'invalid-argument',
    `${what} must be a whole number from ${least} to ${most}, not ${value}`,
  )
}

/**
 * A list has live jobs first and then finished ones, so a backlog would hide what has just died. Each is walked by itself,
 * and the one that has come less far goes on; found by attributes, they come in one order already.
 */
function begin(filter: JobFilter, cursor: string | undefined): { lanes: Lane[]; pending: string[] } {
  const states = filter.states ?? [...jobStates]
  const split = hasAttributes(filter)
    ? [states]
    : [states.filter(state => !isTerminal(state)), states.filter(isTerminal)]
  const given = cursor === undefined ? null : readSearchCursor(cursor, split.length)
  const lanes = split.map((each, index) => ({
    states: each,
    place: given?.places[index] ?? { cursor: null, done: each.length === 0, at: null },
  }))
  return { lanes, pending: given?.pending ?? [] }
}

/** The lane that is to go on: one that has not begun, or the one whose next job is the newest. */
function newest(lanes: readonly Lane[]): Lane | undefined {
  const open = lanes.filter(({ place }) => !place.done)
  return (
    open.find(({ place }) => place.at === null) ??
    open.toSorted((a, b) => Number(b.place.at) - Number(a.place.at))[0]
  )
}

/** When the last job of a page was made, or has finished, as its order goes by. */
function reached(jobs: readonly JobRecord[], filter: JobFilter): number | null {
  // A live job that was redriven may stand where it came back, far above others that were made when it was.
  const last = jobs.findLast(job => job.finishedAt !== null || job.redrives === 0)
  return last === undefined ? null : ageOf(last, filter)
}

function ageOf(job: JobRecord, filter: JobFilter): number {
  return hasAttributes(filter) ? job.createdAt : (job.finishedAt ?? job.createdAt)
}

function byAge(filter: JobFilter): (a: JobRecord, b: JobRecord) => number {
  return (a, b) => ageOf(b, filter) - ageOf(a, filter) || (a.id < b.id ? 1 : -1)
}

/** What is done reaches back to the beginning, so the others decide. */
function lookedBackTo(lanes: readonly Lane[]): number | null {
  const open = lanes.filter(({ place }) => !place.done)
  if (open.some(({ place }) => place.at === null)) return null
  const at = (open.length > 0 ? open : lanes).flatMap(({ place }) => (place.at === null ? [] : [place.at]))
  if (at.length === 0) return null
  return open.length > 0 ? Math.max(...at) : Math.min(...at)
}

function nextSize(size: number, jobs: readonly JobRecord[]): number {
  if (jobs.length === 0) return size
  const bytes = jobs.reduce((sum, job) => sum + job.payloadJson.length + (job.resultJson?.length ?? 0), 0)
  if (bytes > pageBytes) return Math.max(1, Math.floor((jobs.length * pageBytes) / bytes))
  return bytes < pageBytes / 4 ? Math.min(pageAtMost, size * 2) : size
}
