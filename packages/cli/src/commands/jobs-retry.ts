import type { Context } from '../command.ts'
import { loadConfig } from '../config.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { readJsonArgument } from '../payload.ts'
import { withStore } from '../store.ts'
import { explainUnknown } from './enqueue.ts'

export interface RetryFlags {
  payload?: string
  forgetSteps?: boolean
}

const said = {
  redriven: 'is queued again, its attempts counted afresh',
  'not-finished': 'is not finished; only a finished job can be retried',
  'not-found': 'is not here',
}

export async function retryJobs(context: Context<RetryFlags>): Promise<number> {
  const { args, flags, settings, out } = context
  if (flags.payload !== undefined) return retryWith(context, flags.payload)
  const options = { forgetSteps: flags.forgetSteps ?? false }
  const results = await withStore(settings, async millrace => {
    const answers: { id: string; outcome: keyof typeof said }[] = []
    for (const id of args) answers.push({ id, outcome: await millrace.retry(id, options) })
    return answers
  })
  out.value({ jobs: results })
  for (const { id, outcome } of results) out.line(`${id}  ${said[outcome]}`)
  return results.every(each => each.outcome === 'redriven') ? exitCodes.ok : exitCodes.failed
}

/** A payload is checked by its type, so this needs the configuration. */
async function retryWith({ args, flags, settings, out }: Context<RetryFlags>, json: string): Promise<number> {
  const [origin, ...more] = args as [string, ...string[]]
  if (more.length > 0) throw new UsageError('--payload is for one job')
  if (flags.forgetSteps)
    throw new UsageError('with --payload the job is a new one: it has no steps to forget')
  const payload = await readJsonArgument('the payload', json)
  const config = await loadConfig(settings.config)
  const { id, duplicate } = await withStore(
    settings,
    millrace => millrace.retryWith(origin, payload).catch(explainUnknown(config.path)),
    config.modules,
  )
  out.value({ id, duplicate, origin })
  out.line(duplicate ? `${id}  (this very edit was made before: this is its job)` : id)
  return exitCodes.ok
}
