import type { Command } from 'commander'
import { showActivity } from '../activity.ts'
import { type Context, runs, withConfig } from '../command.ts'
import { loadConfig, workableTypes } from '../config.ts'
import { readWholeNumber, shownUrl } from '../settings.ts'
import { aborted, hearInterruption } from '../shutdown.ts'
import { closeCalmly, defaultDeadlineMs } from '../stopping.ts'

interface WorkerFlags {
  concurrency?: string
  queue?: string[]
  label?: string
}

export function workerCommand(root: Command): void {
  const command = root
    .command('worker')
    .description('work without serving HTTP')
    .option('--concurrency <jobs>', 'how many jobs run at once (default: 10)')
    .option('--queue <queue...>', 'claim only from these queues')
    .option('--label <text>', 'what people see in lists (default: host name and process id)')
  runs<WorkerFlags>(withConfig(command), work)
}

async function work({ flags, settings, out }: Context<WorkerFlags>): Promise<void> {
  const concurrency = readWholeNumber('--concurrency', flags.concurrency, 1, 10_000)
  const interruption = hearInterruption()
  const { openApplication } = await import('@millrace/api')
  const config = await loadConfig(settings.config)
  const types = workableTypes(config)
  const application = await openApplication({
    url: settings.url,
    modules: config.modules,
    worker: {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(flags.queue ? { queues: flags.queue } : {}),
      ...(flags.label ? { label: flags.label } : {}),
    },
  })
  const silence = showActivity(application.millrace, out)
  try {
    await application.worker?.start()
    out.value({ event: 'working', store: shownUrl(settings.url), worker: application.worker?.id, types })
    out.line(`Working on ${shownUrl(settings.url)}: ${types.join(', ')}`)
    out.line(
      out.style('dim', `Ctrl-C stops it: running jobs get ${defaultDeadlineMs / 1_000} seconds to finish.`),
    )
    await aborted(interruption.signal)
  } finally {
    await closeCalmly(application, out, defaultDeadlineMs)
    silence()
  }
}
