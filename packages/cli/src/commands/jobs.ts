import type { Command } from 'commander'
import { runs } from '../command.ts'
import { cancelJobs } from './jobs-cancel.ts'
import { listJobs } from './jobs-list.ts'
import { retryJobs } from './jobs-retry.ts'
import { showJob } from './jobs-show.ts'

export function jobsCommand(root: Command): void {
  const jobs = root.command('jobs').description('list jobs, show one, cancel, retry').helpCommand(false)
  const list = jobs
    .command('list', { isDefault: true })
    .description('newest first')
    .allowExcessArguments()
    .option('--state <state...>', 'queued, blocked, running, completed, cancelled or dead')
    .option('--type <type...>', 'of these types')
    .option('--queue <queue...>', 'of these queues')
    .option('--tenant <tenant>', 'of this tenant')
    .option('--from <when>', 'since: 2026-11-23T14:00:00Z, or how long ago, such as 24h')
    .option('--until <when>', 'before; written like --from')
    .option('--limit <number>', 'how many (default: 20)')
    .option('--cursor <cursor>', 'the next page, as the last one said')
  runs(list, listJobs)
  runs(jobs.command('show').description('all about one').argument('<id>'), showJob)
  const cancel = jobs.command('cancel').description('stop what waits or runs').argument('<id...>')
  runs(cancel.option('--reason <text>', 'why; kept with the job'), cancelJobs)
  runs(jobs.command('retry').description('run a finished job again').argument('<id...>'), retryJobs)
}
