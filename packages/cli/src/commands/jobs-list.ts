import { type Job, type JobFilter, type JobState, jobStates, parseDuration } from 'millrace'
import { jobSummary, parseInstant } from '@millrace/api/documents'
import type { Context } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { type Column, formatTable } from '../format/table.ts'
import { formatAgo, formatDuration } from '../format/time.ts'
import { invocation } from '../invocation.ts'
import { readWholeNumber, shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'
import { stateStyle } from '../state-style.ts'

export interface ListFlags {
  state?: string[]
  type?: string[]
  queue?: string[]
  tenant?: string
  from?: string
  until?: string
  limit?: string
  cursor?: string
}

export async function listJobs({ args, flags, settings, out }: Context<ListFlags>): Promise<number> {
  if (args.length > 0)
    throw new UsageError(`jobs has no command '${args[0]}'; it has list, show, cancel and retry`)
  const now = Date.now()
  const filter = readFilter(flags, now)
  const limit = readWholeNumber('--limit', flags.limit, 1, 1_000) ?? 20
  const page = await withStore(settings, millrace =>
    millrace.list(filter, { limit, ...(flags.cursor ? { cursor: flags.cursor } : {}) }),
  )
  out.value({ jobs: page.jobs.map(jobSummary), cursor: page.cursor })
  if (page.jobs.length === 0) {
    const filtered = Object.keys(filter).length > 0
    out.line(`No jobs${filtered ? ' like that' : ' yet'} in ${shownUrl(settings.url)}.`)
    return exitCodes.ok
  }
  const style = { columns: out.columns, title: (text: string) => out.style('dim', text) }
  for (const line of formatTable(
    columns(now, (state, text) => out.style(stateStyle(state), text)),
    page.jobs,
    style,
  ))
    out.line(line)
  if (page.cursor)
    out.line(out.style('dim', `\nMore: ${invocation()} jobs list --limit ${limit} --cursor ${page.cursor}`))
  return exitCodes.ok
}

function columns(now: number, styleState: (state: Job['shown'], text: string) => string): Column<Job>[] {
  return [
    { title: 'ID', value: job => job.id },
    { title: 'TYPE', value: job => job.type, least: 10 },
    { title: 'STATE', value: job => job.shown, style: (text, job) => styleState(job.shown, text) },
    { title: 'TRIES', value: job => `${job.attempt}/${job.maxAttempts}`, align: 'right', drop: 2 },
    { title: 'WHEN', value: job => when(job, now), drop: 1 },
    { title: 'NOTE', value: note, least: 12, drop: 3 },
  ]
}

function when(job: Job, now: number): string {
  if (job.finishedAt !== null) return formatAgo(job.finishedAt, now)
  if (job.state === 'running' && job.startedAt !== null) return formatAgo(job.startedAt, now)
  return job.runAt > now ? formatAgo(job.runAt, now) : formatAgo(job.createdAt, now)
}

function note(job: Job): string {
  if (job.state === 'dead' || job.shown === 'retrying') return job.lastError?.message ?? ''
  if (job.state === 'cancelled') return job.cancelReason ?? ''
  if (job.state === 'running' && job.progress)
    return `${Math.floor(job.progress.percent)} %${job.progress.message ? ` ${job.progress.message}` : ''}`
  if (job.state === 'completed' && job.startedAt !== null && job.finishedAt !== null)
    return `took ${formatDuration(job.finishedAt - job.startedAt)}`
  return ''
}

function readFilter(flags: ListFlags, now: number): JobFilter {
  const { state, type, queue, tenant, from, until } = flags
  return {
    ...(state ? { states: split(state).map(readState) } : {}),
    ...(type ? { types: split(type) } : {}),
    ...(queue ? { queues: split(queue) } : {}),
    ...(tenant === undefined ? {} : { tenant }),
    ...(from === undefined ? {} : { from: readWhen('--from', from, now) }),
    ...(until === undefined ? {} : { until: readWhen('--until', until, now) }),
  }
}

function split(values: readonly string[]): string[] {
  return values.flatMap(value => value.split(','))
}

function readState(text: string): JobState {
  const state = jobStates.find(known => known === text)
  if (state) return state
  throw new UsageError(`--state must be of ${jobStates.join(', ')}, not '${text}'`)
}

function readWhen(what: string, text: string, now: number): number {
  const at = parseInstant(text)
  if (at !== null) return at
  try {
    return now - parseDuration(text)
  } catch {
    throw new UsageError(
      `${what} must be an instant such as 2026-11-23T14:00:00Z, or how long ago, such as 24h, not '${text}'`,
    )
  }
}
