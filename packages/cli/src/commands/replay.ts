import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { exportBundle, type Handler, readBundle, type Replay, replay, type ReplayBundle } from 'millrace'
import { type Context, runs, withConfig } from '../command.ts'
import { loadConfig } from '../config.ts'
import { CommandError, exitCodes, UsageError } from '../errors.ts'
import { formatCount } from '../format/count.ts'
import { clean, displayWidth, fit, pad, wrap } from '../format/width.ts'
import { invocation, quoted } from '../invocation.ts'
import type { Output } from '../output.ts'
import { readJsonArgument } from '../payload.ts'
import { hearInterruption } from '../shutdown.ts'
import { withStore } from '../store.ts'

interface ReplayFlags {
  bundle?: string | true
  runNewSteps?: boolean
  stub?: string[]
}

export function replayCommand(root: Command): void {
  const command = root
    .command('replay')
    .description('run a job again offline, from a bundle, with nothing stored')
    .argument('<file>', "a bundle's file; with --bundle the id of a job")
    .option('--bundle [file]', 'export the job into a file (default: replay-ID.json; - prints it)')
    .option('--stub <step=json...>', 'answer a step with this instead')
    .option('--run-new-steps', 'also run steps that the job never reached')
  runs<ReplayFlags>(withConfig(command), replayOrExport)
}

async function replayOrExport(context: Context<ReplayFlags>): Promise<number> {
  const [given] = context.args as [string]
  const { bundle } = context.flags
  if (bundle !== undefined) return exportTo(context, given, bundle === true ? `replay-${given}.json` : bundle)
  return replayFile(context, given)
}

async function exportTo({ settings, out }: Context<ReplayFlags>, id: string, file: string): Promise<number> {
  const bundle = await withStore(settings, millrace => exportBundle(millrace, id))
  const json = `${JSON.stringify(bundle, null, 2)}\n`
  if (file === '-') {
    process.stdout.write(json)
    return exitCodes.ok
  }
  // It holds what the payload holds, so it is for its owner alone.
  await writeFile(file, json, { mode: 0o600 }).catch((error: Error) => {
    throw new CommandError('not-written', `${file} can not be written: ${error.message}`, error)
  })
  out.value({ id: bundle.job.id, file })
  const { attempts, steps, logs } = bundle
  const parts = [
    formatCount(attempts.length, 'attempt'),
    formatCount(steps.length, 'step'),
    formatCount(logs.length, 'log line'),
  ]
  out.line(`Wrote ${file}`)
  out.line(`  ${parts.join(', ')}; it holds the payload and the results as they are.`)
  out.line(out.style('dim', `Replay it with: ${invocation()} replay ${quoted(file)}`))
  return exitCodes.ok
}

async function replayFile({ flags, settings, out }: Context<ReplayFlags>, file: string): Promise<number> {
  const bundle = await readFileBundle(file)
  const stubs = await readStubs(flags.stub ?? [])
  const handler = await handlerFor(bundle, settings.config)
  const interruption = hearInterruption()
  if (!out.json) showHead(out, bundle)
  const result = await replay(handler, bundle, {
    stubs,
    runNewSteps: flags.runNewSteps ?? false,
    signal: interruption.signal,
  })
  interruption.release()
  out.value(result)
  if (!out.json) showReplay(out, result)
  return result.outcome === 'failed' || result.outcome === 'waits' ? exitCodes.failed : exitCodes.ok
}

async function readFileBundle(file: string): Promise<ReplayBundle> {
  if (!existsSync(file)) {
    const isId = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(file)
    throw new CommandError(
      'no-file',
      isId
        ? `There is no file ${file}; to export this job, say: ${invocation()} replay ${file} --bundle`
        : `There is no file ${file}`,
    )
  }
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new CommandError(
      'bad-bundle',
      `${file} can not be read as JSON: ${(error as Error).message}`,
      error,
    )
  }
  return readBundle(value)
}

async function readStubs(given: readonly string[]): Promise<Record<string, unknown>> {
  const stubs: Record<string, unknown> = {}
  for (const each of given) {
    const at = each.indexOf('=')
    if (at < 1) throw new UsageError(`--stub must be like charge='{"paid":true}', not '${each}'`)
    stubs[each.slice(0, at)] = await readJsonArgument(`the stub of ${each.slice(0, at)}`, each.slice(at + 1))
  }
  return stubs
}

async function handlerFor({ job }: ReplayBundle, config: string | null): Promise<Handler> {
  const { path, modules } = await loadConfig(config)
  const handler = modules
    .flatMap(each => each.handlers)
    .find(each => [each.job.type, ...each.job.aliases].includes(job.type))
  if (handler) return handler
  const where = path ?? 'There is no millrace.config.ts here, so it'
  throw new CommandError('unknown-type', `${where} has no handler for ${job.type}, the type of this job`)
}

function showHead(out: Output, { job, versions, exportedAt }: ReplayBundle): void {
  out.line(`${out.style('bold', clean(job.type))}  ${out.style('dim', job.id)}`)
  out.line(
    out.style(
      'dim',
      `exported ${exportedAt}, millrace ${versions.millrace} on ${versions.engine}, Node ${versions.node}`,
    ),
  )
  if (job.error)
    out.line(
      fit(
        clean(
          `${job.state} in attempt ${job.attempt} of ${job.maxAttempts}: ${job.error.name}: ${job.error.message}`,
        ),
        out.columns,
      ),
    )
  out.line()
}

const sources = { bundle: 'from the bundle', run: 'was run', stub: 'from a stub' }

function showReplay(out: Output, result: Replay): void {
  const width = Math.max(0, ...result.steps.map(each => displayWidth(clean(each.name))))
  for (const { name, from, outcome } of result.steps) {
    const mark = outcome === 'completed' ? out.style('green', '✓') : out.style('red', '✗')
    out.line(`  ${mark} ${pad(clean(name), width)}  ${out.style('dim', sources[from])}`)
  }
  for (const effect of result.effects) {
    const { kind, ...rest } = effect
    out.line(fit(`  · ${kind}, not done: ${clean(JSON.stringify(rest))}`, out.columns))
  }
  for (const { level, message, data } of result.logs)
    out.line(
      out.style(
        'dim',
        fit(
          `  ${level.padEnd(5)} ${clean(message)}${data === null ? '' : `  ${JSON.stringify(data)}`}`,
          out.columns,
        ),
      ),
    )
  if (result.steps.length + result.effects.length + result.logs.length > 0) out.line()
  for (const line of wrap(ending(result), out.columns)) out.line(out.style(styles[result.outcome], line))
  if (result.outcome === 'completed' && result.result !== undefined)
    out.line(JSON.stringify(result.result, null, 2))
  const frames = (result.error?.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  for (const frame of frames.slice(0, 8)) out.line(out.style('dim', `    ${clean(frame.trim())}`))
}

const styles = {
  completed: 'green',
  'passed-failure-point': 'green',
  failed: 'red',
  waits: 'yellow',
  snoozed: 'yellow',
} as const

function ending({ outcome, reproduced, error, at }: Replay): string {
  switch (outcome) {
    case 'completed':
      return 'The handler completed.'
    case 'passed-failure-point':
      return `It passed the point of failure, and would now run ${clean(at ?? '')}, which the job never reached. --run-new-steps runs it, --stub answers it.`
    case 'failed':
      return `${reproduced ? 'Reproduced: it failed as the job did' : 'It failed, otherwise than the job did'}: ${clean(`${error?.name}: ${error?.message}`)}`
    case 'waits':
      return `It waits in its step ${clean(at ?? '')} for what the bundle does not hold. Answer it with --stub.`
    case 'snoozed':
      return 'The handler put itself off.'
  }
}
