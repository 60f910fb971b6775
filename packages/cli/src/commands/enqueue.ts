import type { Command } from 'commander'
import type { EnqueueOptions, Job } from 'millrace'
import { jobSummary, parseInstant } from '@millrace/api/documents'
import { type Context, runs, withConfig } from '../command.ts'
import { loadConfig } from '../config.ts'
import { CommandError, exitCodes, UsageError } from '../errors.ts'
import { follow } from '../follow.ts'
import { invocation } from '../invocation.ts'
import type { Output } from '../output.ts'
import { readJsonArgument } from '../payload.ts'
import { readWholeNumber } from '../settings.ts'
import { hearInterruption } from '../shutdown.ts'
import { withStore } from '../store.ts'
import { watcherFor } from '../watchers.ts'

interface EnqueueFlags {
  wait?: boolean
  queue?: string
  priority?: string
  maxAttempts?: string
  runAt?: string
  delay?: string
  tenant?: string
  key?: string
}

export function enqueueCommand(root: Command): void {
  const command = root
    .command('enqueue')
    .description('store one job')
    .argument('<type>', 'the job type, such as CRAWL_SITE')
    .argument('<json>', 'the payload; - reads it from standard input')
    .option('--wait', 'show its progress and print its result')
    .option('--queue <queue>', "default: the type's")
    .option('--priority <number>', '1 (first) to 10 (last)')
    .option('--max-attempts <number>', 'how often it may start')
    .option('--run-at <instant>', 'not before, such as 2026-11-23T14:00:00Z')
    .option('--delay <duration>', 'not before this much time has passed, such as 90s or 1h30m')
    .option('--tenant <tenant>', 'whom it belongs to')
    .option('--key <key>', 'idempotency key: the same one with the same payload enqueues once')
  runs<EnqueueFlags>(withConfig(command), enqueue)
}

async function enqueue({ args, flags, settings, out }: Context<EnqueueFlags>): Promise<number> {
  const [type, json] = args as [string, string]
  const options = readOptions(flags)
  const payload = await readJsonArgument('the payload', json)
  const config = await loadConfig(settings.config)
  return withStore(
    settings,
    async millrace => {
      const { id, duplicate } = await millrace
        .enqueueByType(type, payload, options)
        .catch(explainUnknown(config.path))
      if (!flags.wait) {
        out.value({ id, duplicate })
        out.line(duplicate ? `${id}  (the key was known: this is the earlier job)` : id)
        return exitCodes.ok
      }
      out.value({ event: 'enqueued', id, duplicate })
      out.line(`${duplicate ? 'Known already' : 'Enqueued'}: ${type} ${id}`)
      const interruption = hearInterruption()
      const job = await follow(millrace, id, watcherFor(out), interruption.signal)
      interruption.release()
      return job ? showEnd(out, job) : showLeft(out, id)
    },
    config.modules,
  )
}

/** Says how a job ended. Answers the exit code. */
export function showEnd(out: Output, job: Job): number {
  out.value({ event: job.state, ...jobSummary(job), result: job.result })
  if (job.state === 'completed') {
    if (job.result !== null) out.line(JSON.stringify(job.result, null, 2))
    return exitCodes.ok
  }
  const why =
    job.state === 'dead' ? `is dead: ${job.lastError?.message}` : `was cancelled: ${job.cancelReason}`
  out.note(`millrace: job ${job.id} ${why}`)
  if (job.state === 'dead') out.note(`See it with: ${invocation()} jobs show ${job.id}`)
  return exitCodes.failed
}

function showLeft(out: Output, id: string): number {
  out.value({ event: 'left', id })
  out.line(`The job goes on without this terminal. See it with: ${invocation()} jobs show ${id}`)
  return exitCodes.interrupted
}

function readOptions(flags: EnqueueFlags): EnqueueOptions {
  const { queue, delay, tenant, key } = flags
  const priority = readWholeNumber('--priority', flags.priority, 1, 10)
  const maxAttempts = readWholeNumber('--max-attempts', flags.maxAttempts, 1, 10_000)
  const runAt = flags.runAt === undefined ? undefined : parseInstant(flags.runAt)
  if (runAt === null)
    throw new UsageError(
      `--run-at must be ISO 8601 with its offset, such as 2026-11-23T14:00:00Z, not '${flags.runAt}'`,
    )
  if (runAt !== undefined && delay !== undefined) throw new UsageError('give --run-at or --delay, not both')
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(runAt === undefined ? {} : { runAt }),
    ...(delay === undefined ? {} : { delay }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
  }
}

export function explainUnknown(config: string | null): (error: unknown) => never {
  return error => {
    const unknown = error instanceof Error && (error as { code?: unknown }).code === 'unknown-type'
    if (!unknown || config !== null) throw error
    throw new CommandError(
      'unknown-type',
      `${error.message}. There is no millrace.config.ts here; name one with --config`,
    )
  }
}
