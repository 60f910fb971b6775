import type { Job } from 'millrace'
import { jobSummary } from '@millrace/api/documents'
import type { Context } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { type FilterFlags, readFilter } from '../filter.ts'
import { type Column, formatTable } from '../format/table.ts'
import { formatAgo, formatDuration } from '../format/time.ts'
import { invocation } from '../invocation.ts'
import type { Output } from '../output.ts'
import { readWholeNumber, shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'
import { stateStyle } from '../state-style.ts'

export interface ListFlags extends FilterFlags {
  limit?: string
  cursor?: string
  search?: string
  look?: string
}

export async function listJobs({ args, flags, settings, out }: Context<ListFlags>): Promise<number> {
  refuseArguments(args)
  if (flags.look !== undefined) throw new UsageError('--look says how far --search looks: give that, too')
  const now = Date.now()
  const filter = readFilter(flags, now)
  const limit = readWholeNumber('--limit', flags.limit, 1, 1_000) ?? 20
  const page = await withStore(settings, millrace =>
    millrace.list(filter, { limit, ...(flags.cursor ? { cursor: flags.cursor } : {}) }),
  )
  out.value({ jobs: page.jobs.map(jobSummary), cursor: page.cursor })
  const filtered = Object.keys(filter).length > 0
  if (page.jobs.length > 0) for (const line of jobTable(out, page.jobs, now)) out.line(line)
  else if (page.cursor === null)
    out.line(`No jobs${filtered ? ' like that' : ' yet'} in ${shownUrl(settings.url)}.`)
  // Where few jobs fit, a page that looks at so many may find none.
  else out.line('None on this page.')
  const same = filtered ? 'the same with' : `${invocation()} jobs list --limit ${limit}`
  if (page.cursor) out.line(out.style('dim', `\nMore: ${same} --cursor ${page.cursor}`))
  return exitCodes.ok
}

/** `list` need not be said, so what is said instead was meant for a command. */
export function refuseArguments(args: readonly string[]): void {
  if (args.length > 0)
    throw new UsageError(`jobs has no command '${args[0]}'; it has list, show, cancel and retry`)
}

/** A line a job, the titles first. */
export function jobTable(out: Output, jobs: readonly Job[], now: number): string[] {
  return formatTable(
    columns(now, (state, text) => out.style(stateStyle(state), text)),
    jobs,
    { columns: out.columns, title: text => out.style('dim', text) },
  )
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
