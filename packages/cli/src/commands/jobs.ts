import type { Command } from 'commander'
import { runs, withConfig } from '../command.ts'
import { withFilter } from '../filter.ts'
import { cancelJobs } from './jobs-cancel.ts'
import { type ListFlags, listJobs } from './jobs-list.ts'
import { retryJobs } from './jobs-retry.ts'
import { searchJobs } from './jobs-search.ts'
import { showJob } from './jobs-show.ts'

export function jobsCommand(root: Command): void {
  const jobs = root.command('jobs').description('list jobs, show one, cancel, retry').helpCommand(false)
  const list = jobs
    .command('list', { isDefault: true })
    .description('newest first')
    .allowExcessArguments()
    .option('--limit <number>', 'how many (default: 20)')
    .option('--cursor <cursor>', 'the next page, as the last one said')
    .option('--search <text>', 'among the newest, those whose payload or last error contains it')
    .option('--look <number>', 'how many jobs to look at for it (default: 10000)')
  runs<ListFlags>(withFilter(list), context =>
    context.flags.search === undefined ? listJobs(context) : searchJobs(context),
  )
  runs(jobs.command('show').description('all about one').argument('<id>'), showJob)
  const cancel = jobs.command('cancel').description('stop what waits or runs').argument('<id...>')
  runs(cancel.option('--reason <text>', 'why; kept with the job'), cancelJobs)
  const retry = jobs
    .command('retry')
    .description('run a finished job again')
    .argument('<id...>')
    .option('--payload <json>', 'with another payload, as a new job; - reads it from standard input')
    .option('--forget-steps', 'run steps again that have completed')
  runs(withConfig(retry), retryJobs)
}
