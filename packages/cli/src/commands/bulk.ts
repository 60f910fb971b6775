import { createInterface } from 'node:readline/promises'
import { jobSummary } from '@millrace/api/documents'
import type { Command } from 'commander'
import type { BulkAction, BulkPlan, BulkResult, Millrace } from 'millrace'
import { type Context, runs } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { type FilterFlags, readFilter, withFilter } from '../filter.ts'
import { formatCount, formatNumber } from '../format/count.ts'
import { clean } from '../format/width.ts'
import type { Output } from '../output.ts'
import { progressLine } from '../progress-line.ts'
import { readWholeNumber } from '../settings.ts'
import { hearInterruption } from '../shutdown.ts'
import { withStore } from '../store.ts'
import { jobTable } from './jobs-list.ts'

interface BulkFlags extends FilterFlags {
  dryRun?: boolean
  yes?: boolean
  all?: boolean
  reason?: string
  forgetSteps?: boolean
}

type Read = (context: Context<BulkFlags>) => BulkAction

export function bulkCommand(root: Command): void {
  const bulk = root.command('bulk').description('act on all jobs that match').helpCommand(false)
  const add = (command: Command, read: Read): void => {
    const shared = command
      .option('--all', 'every job that the action takes, where nothing else is named')
      .option('--dry-run', 'count and show a sample, and change nothing')
      .option('--yes', 'do not ask')
    runs<BulkFlags>(withFilter(shared), context => act(context, read(context)))
  }
  add(
    bulk
      .command('cancel')
      .description('stop what waits or runs')
      .option('--reason <text>', 'why; kept with the jobs'),
    ({ flags: { reason } }) => ({ do: 'cancel', ...(reason === undefined ? {} : { reason }) }),
  )
  add(
    bulk
      .command('retry')
      .description('run dead jobs again; others that are finished when --state says so')
      .option('--forget-steps', 'run steps again that have completed'),
    ({ flags }) => ({ do: 'retry', forgetSteps: flags.forgetSteps ?? false }),
  )
  add(bulk.command('remove').description('delete what does not run, with its history'), () => ({
    do: 'remove',
  }))
  add(
    bulk.command('move').description('to another queue').argument('<to>', 'the queue to move to'),
    ({ args }) => ({ do: 'move', queue: args[0] as string }),
  )
  add(
    bulk.command('reprioritise').description('change the priority').argument('<priority>', '1 (first) to 10'),
    ({ args }) => ({
      do: 'reprioritise',
      priority: readWholeNumber('the priority', args[0], 1, 10) as number,
    }),
  )
}

async function act({ flags, settings, out }: Context<BulkFlags>, action: BulkAction): Promise<number> {
  const filter = readFilter(flags, Date.now())
  if (Object.keys(filter).length === 0 && !flags.all)
    throw new UsageError(`name which jobs, by --type or another flag, or say --all`)
  const target = { everything: flags.all === true }
  return withStore(settings, async millrace => {
    const plan = await millrace.bulk.plan(action, filter, target)
    if (flags.dryRun) {
      out.value({ ...plan, sample: plan.sample.map(jobSummary) })
      if (!out.json) showPlan(out, action, plan)
      return exitCodes.ok
    }
    if (plan.count > 0 && !flags.yes && !(await confirmed(out, action, plan))) return exitCodes.interrupted
    return run(millrace, out, { action, plan, options: { filter, target } })
  })
}

function showPlan(out: Output, action: BulkAction, plan: BulkPlan): void {
  const { count, sample, refused, states } = plan
  out.line(count === 0 ? `Nothing matches that is ${listed(states)}.` : `${would(action)} ${counted(plan)}.`)
  if (sample.length > 0) {
    out.line()
    for (const line of jobTable(out, sample, Date.now())) out.line(line)
    if (count > sample.length)
      out.line(
        out.style('dim', `… and ${formatNumber(count - sample.length)} more${plan.exact ? '' : ' at least'}`),
      )
  }
  const left = Object.entries(refused)
  if (left.length === 0) return
  out.line()
  const parts = left.map(([state, refusedCount]) => `${formatNumber(refusedCount)} ${state}`)
  out.line(out.style('yellow', `Left alone, because ${action.do} can not take them: ${parts.join(', ')}.`))
}

function would(action: BulkAction): string {
  switch (action.do) {
    case 'cancel':
      return 'Would cancel'
    case 'retry':
      return 'Would retry'
    case 'remove':
      return 'Would remove'
    case 'move':
      return `Would move to queue ${clean(action.queue)}:`
    case 'reprioritise':
      return `Would give priority ${action.priority} to`
  }
}

function counted({ count, exact }: Pick<BulkPlan, 'count' | 'exact'>): string {
  return `${exact ? '' : 'more than '}${formatCount(count, 'job')}`
}

function listed(states: readonly string[]): string {
  return states.length < 2 ? states.join('') : `${states.slice(0, -1).join(', ')} or ${states.at(-1)}`
}

/** Asks a person. A script has to say `--yes`. */
async function confirmed(out: Output, action: BulkAction, plan: BulkPlan): Promise<boolean> {
  if (!out.interactive || !process.stdin.isTTY)
    throw new UsageError(
      `${action.do} would change ${counted(plan)}: say --yes, or look first with --dry-run`,
    )
  showPlan(out, action, plan)
  out.line()
  const reader = createInterface({ input: process.stdin, output: process.stdout })
  // Ctrl-C and Ctrl-D close it, and the question is never answered.
  const closed = new Promise<string>(resolve => reader.once('close', () => resolve('')))
  const answer = await Promise.race([reader.question('Go on? [y/N] '), closed])
  reader.close()
  const isYes = /^y(es)?$/i.test(answer.trim())
  if (!isYes) out.line('Nothing was changed.')
  return isYes
}

async function run(
  millrace: Millrace,
  out: Output,
  work: {
    action: BulkAction
    plan: BulkPlan
    options: { filter: ReturnType<typeof readFilter>; target: { everything: boolean } }
  },
): Promise<number> {
  const { action, plan, options } = work
  const interruption = hearInterruption()
  const line = progressLine(out)
  const total = plan.exact ? plan.count : null
  const result = await millrace.bulk
    .run(action, options.filter, {
      ...options.target,
      signal: interruption.signal,
      onProgress: progress => {
        out.value({ event: 'progress', ...progress, total })
        line.show(progress.done, total, `${formatNumber(progress.changed)} ${past[action.do]}`)
      },
    })
    .finally(() => line.end())
  interruption.release()
  return showResult(out, action, result)
}

const past: Record<BulkAction['do'], string> = {
  cancel: 'cancelled',
  retry: 'queued again',
  remove: 'removed',
  move: 'moved',
  reprioritise: 'reprioritised',
}

function showResult(out: Output, action: BulkAction, result: BulkResult): number {
  out.value({ event: result.aborted ? 'aborted' : 'done', ...result })
  const { changed, skipped, failed, aborted, skippedBy, failures } = result
  const reasons = Object.entries(skippedBy).map(([reason, count]) => `${formatNumber(count)} ${reason}`)
  const parts = [
    `${formatCount(changed, 'job')} ${past[action.do]}`,
    ...(skipped > 0 ? [`${formatNumber(skipped)} left as they are (${reasons.join(', ')})`] : []),
    ...(failed > 0 ? [`${formatNumber(failed)} failed`] : []),
  ]
  out.line(`${parts.join('; ')}.`)
  for (const { id, message } of failures) out.line(out.style('red', `  ${id}  ${clean(message)}`))
  if (aborted) out.line('It was interrupted; the same command does the rest.')
  if (aborted) return exitCodes.interrupted
  return failed > 0 ? exitCodes.failed : exitCodes.ok
}
