import type { SearchResult } from 'millrace'
import { jobSummary } from '@millrace/api/documents'
import type { Context } from '../command.ts'
import { exitCodes } from '../errors.ts'
import { readFilter } from '../filter.ts'
import { formatCount } from '../format/count.ts'
import { formatUtc } from '../format/time.ts'
import { readWholeNumber, shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'
import { jobTable, type ListFlags, refuseArguments } from './jobs-list.ts'

/** Whoever says how many jobs to look at wants them looked at. */
const patienceMs = 600_000

/** Jobs whose payload or last error contains a text, and how far was looked for them. */
export async function searchJobs({ args, flags, settings, out }: Context<ListFlags>): Promise<number> {
  refuseArguments(args)
  const now = Date.now()
  const filter = readFilter(flags, now)
  const limit = readWholeNumber('--limit', flags.limit, 1, 1_000) ?? 20
  const look = readWholeNumber('--look', flags.look, 1, 1_000_000)
  const found = await withStore(settings, millrace =>
    millrace.search(flags.search as string, {
      filter,
      limit,
      ...(look === undefined ? {} : { look, budgetMs: patienceMs }),
      ...(flags.cursor ? { cursor: flags.cursor } : {}),
    }),
  )
  const { lookedBackTo, ...rest } = found
  out.value({
    ...rest,
    jobs: found.jobs.map(jobSummary),
    lookedBackTo: lookedBackTo === null ? null : new Date(lookedBackTo).toISOString(),
  })
  if (found.jobs.length > 0) for (const line of jobTable(out, found.jobs, now)) out.line(line)
  out.line(out.style('dim', summary(found, shownUrl(settings.url))))
  if (found.cursor) out.line(out.style('dim', `More: the same with --cursor ${found.cursor}`))
  return exitCodes.ok
}

function summary({ jobs, looked, complete, lookedBackTo }: SearchResult, url: string): string {
  const far = complete
    ? ', and looked at all'
    : lookedBackTo === null
      ? ''
      : `, back to ${formatUtc(lookedBackTo)}`
  return `Found ${jobs.length === 0 ? 'none' : jobs.length} among ${formatCount(looked, 'job')} of ${url}${far}.`
}
