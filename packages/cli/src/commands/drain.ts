import type { Command } from 'commander'
import type { DrainResult } from 'millrace'
import { showActivity } from '../activity.ts'
import { type Context, runs, withConfig } from '../command.ts'
import { loadConfig, workableTypes } from '../config.ts'
import { exitCodes } from '../errors.ts'
import { formatCount } from '../format/count.ts'
import type { Output } from '../output.ts'
import { readDuration, readWholeNumber } from '../settings.ts'
import { aborted, hearInterruption } from '../shutdown.ts'
import { defaultDeadlineMs } from '../stopping.ts'

interface DrainFlags {
  maxJobs?: string
  budget?: string
  concurrency?: string
}

export function drainCommand(root: Command): void {
  const command = root
    .command('drain')
    .description('do what is due now, and end')
    .option('--max-jobs <jobs>', 'start no more than this many')
    .option(
      '--budget <duration>',
      'start none after this long, such as 50s, and give back what does not finish',
    )
    .option('--concurrency <jobs>', 'how many jobs run at once (default: 10)')
  runs<DrainFlags>(withConfig(command), drain)
}

async function drain({ flags, settings, out }: Context<DrainFlags>): Promise<number> {
  const maxJobs = readWholeNumber('--max-jobs', flags.maxJobs, 1, 1_000_000_000)
  const concurrency = readWholeNumber('--concurrency', flags.concurrency, 1, 10_000)
  const budgetMs = flags.budget === undefined ? undefined : readDuration('--budget', flags.budget)
  const interruption = hearInterruption()
  const { openApplication } = await import('@millrace/api')
  const config = await loadConfig(settings.config)
  workableTypes(config)
  const worker = concurrency === undefined ? {} : { concurrency }
  const application = await openApplication({ url: settings.url, modules: config.modules, worker })
  const silence = out.json ? () => {} : showActivity(application.millrace, out)
  try {
    const drained = application.worker?.drain({
      ...(maxJobs === undefined ? {} : { maxJobs }),
      ...(budgetMs === undefined ? {} : { budgetMs }),
    })
    const result = await Promise.race([drained, aborted(interruption.signal)])
    if (result) {
      show(out, result)
      return exitCodes.ok
    }
    drained?.catch(() => {})
    out.line(`Stopping: running jobs get ${defaultDeadlineMs / 1_000} s to finish.`)
    await application.close({ deadlineMs: defaultDeadlineMs })
    out.value({ endedBy: 'interrupted' })
    out.line('Stopped. What is left stays queued.')
    return exitCodes.interrupted
  } finally {
    await application.close({ deadlineMs: defaultDeadlineMs })
    silence()
  }
}

const endings: Record<DrainResult['endedBy'], string> = {
  empty: 'nothing else is due',
  'max-jobs': 'as many as asked for',
  budget: 'the time is up',
  stopped: 'stopped before the rest',
}

function show(out: Output, result: DrainResult): void {
  out.value(result)
  const { endedBy, rescued, ticks, pruned, ...attempts } = result
  const said = Object.entries(attempts).filter(([, count]) => count > 0)
  const total = said.reduce((sum, [, count]) => sum + count, 0)
  const parts = said.map(([outcome, count]) => `${count} ${outcome}`)
  const upkeep = Object.entries({ rescued, ticks, pruned }).filter(([, count]) => count > 0)
  const besides = upkeep.map(([what, count]) => `; ${count} ${what}`).join('')
  out.line(
    `${formatCount(total, 'attempt')} done${parts.length > 0 ? `: ${parts.join(', ')}` : ''}${besides}; ${endings[endedBy]}.`,
  )
}
