import type { Millrace, RedriveOptions, RedrivePlan, RedriveProgress, RedriveResult } from 'millrace'
import type { Context } from '../command.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { formatCount, formatNumber } from '../format/count.ts'
import { clean } from '../format/width.ts'
import { invocation } from '../invocation.ts'
import type { Output } from '../output.ts'
import { progressLine } from '../progress-line.ts'
import { readWholeNumber } from '../settings.ts'
import { hearInterruption } from '../shutdown.ts'
import { withStore } from '../store.ts'

export interface RedriveFlags {
  type?: string
  queue?: string
  canary?: string
  factor?: string
  maxFailures?: string
  dryRun?: boolean
}

export async function redriveDead({ args, flags, settings, out }: Context<RedriveFlags>): Promise<number> {
  const { type, queue } = flags
  const cause = {
    fingerprint: args[0] as string,
    ...(type === undefined ? {} : { type }),
    ...(queue === undefined ? {} : { queue }),
  }
  const options = readOptions(flags)
  return withStore(settings, async millrace => {
    const plan = await millrace.deadLetters.plan(cause, options)
    if (flags.dryRun || plan.count === 0) return showPlan(out, plan, cause.fingerprint)
    out.value({ event: 'planned', ...plan })
    out.line(planned(plan))
    await tellWorkers(millrace, out)
    const interruption = hearInterruption()
    const line = progressLine(out)
    const result = await millrace.deadLetters
      .redrive(cause, {
        ...options,
        signal: interruption.signal,
        onProgress: progress => {
          out.value({ event: 'progress', ...progress })
          line.show(progress.redriven - progress.running, progress.total, said(progress))
        },
      })
      .finally(() => line.end())
    interruption.release()
    return showResult(out, result)
  })
}

function readOptions(flags: RedriveFlags): RedriveOptions {
  const canary = readWholeNumber('--canary', flags.canary, 1, 5_000)
  const maxFailures = readWholeNumber('--max-failures', flags.maxFailures, 0, 1_000_000_000)
  const factor = flags.factor === undefined ? undefined : Number(flags.factor)
  if (factor !== undefined && !(factor >= 1 && factor <= 1_000))
    throw new UsageError(`--factor must be a number from 1 to 1000, not '${flags.factor}'`)
  return {
    ...(canary === undefined ? {} : { canary }),
    ...(factor === undefined ? {} : { factor }),
    ...(maxFailures === undefined ? {} : { maxFailures }),
  }
}

function showPlan(out: Output, plan: RedrivePlan, fingerprint: string): number {
  out.value(plan)
  if (plan.count === 0) {
    out.line(`No dead job has the fingerprint ${clean(fingerprint)}.`)
    return exitCodes.failed
  }
  out.line(planned(plan))
  for (const [type, count] of Object.entries(plan.types))
    out.line(`  ${formatNumber(count).padStart(9)}  ${clean(type)}`)
  return exitCodes.ok
}

function planned({ count, exact, batches }: RedrivePlan): string {
  const jobs = `${exact ? '' : 'More than '}${formatCount(count, 'dead job')}`
  const sizes = batches.slice(0, 8).map(formatNumber).join(', ')
  return `${jobs}, in ${formatCount(batches.length, 'batch', 'batches')}: ${sizes}${batches.length > 8 ? ' …' : ''}`
}

async function tellWorkers(millrace: Millrace, out: Output): Promise<void> {
  if ((await millrace.workers()).length > 0) return
  out.note(
    `No worker is running on this store: the canary waits for one. Start it with: ${invocation()} worker`,
  )
}

function said({ batch, running, completed, died }: RedriveProgress): string {
  const which = batch === 1 ? 'canary' : `batch ${batch}`
  const again = died > 0 ? `, ${formatNumber(died)} died again` : ''
  return `${which}: ${formatNumber(completed)} completed${again}, ${formatNumber(running)} under way`
}

const endings = {
  done: 'None is left.',
  canary: 'It stopped at the canary.',
  ramp: 'It stopped: more died again than may.',
  aborted: 'It was interrupted; what was redriven goes on.',
}

function showResult(out: Output, result: RedriveResult): number {
  out.value({ event: result.stoppedAt, ...result })
  const { redriven, completed, died, ended, skipped, running, left, stoppedAt } = result
  const parts = [
    `${formatNumber(completed)} completed`,
    `${formatNumber(died)} died again`,
    ...(ended > 0 ? [`${formatNumber(ended)} cancelled or removed`] : []),
    ...(running > 0 ? [`${formatNumber(running)} still under way`] : []),
  ]
  out.line(`${formatCount(redriven, 'job')} redriven: ${parts.join(', ')}.`)
  if (skipped > 0) out.line(`${formatCount(skipped, 'job')} were no longer dead.`)
  const rest = left > 0 ? ` ${formatCount(left, 'job')} left as dead as before.` : ''
  out.line(`${endings[stoppedAt]}${rest}`)
  if (stoppedAt === 'aborted') return exitCodes.interrupted
  return stoppedAt === 'done' ? exitCodes.ok : exitCodes.failed
}
