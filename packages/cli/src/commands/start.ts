import type { Command } from 'commander'
import type { Module } from '@millrace/api'
import { isQueueError } from 'millrace'
import { showActivity } from '../activity.ts'
import { type AdminToken, adminToken, shownBearer } from '../admin-token.ts'
import { type Context, runs, withConfig } from '../command.ts'
import { loadConfig } from '../config.ts'
import { CommandError } from '../errors.ts'
import { invocation, quoted } from '../invocation.ts'
import type { Output } from '../output.ts'
import { readDrainBudget, readWholeNumber, shownUrl } from '../settings.ts'
import { aborted, hearInterruption } from '../shutdown.ts'
import { closeCalmly, defaultDeadlineMs } from '../stopping.ts'

interface StartFlags {
  concurrency?: string
  accessLog?: boolean
  drainBudget?: string
}

export function startCommand(root: Command): void {
  const command = root
    .command('start')
    .description('serve the API and work, in one process')
    .option('--port <port>', 'where to listen; 0 for any free port (default: PORT, or 3000)')
    .option('--host <host>', 'on which address (default: HOST, or 127.0.0.1)')
    .option('--concurrency <jobs>', 'how many jobs run at once (default: 10)')
    .option('--access-log', 'write each request as a line of JSON to standard error')
    .option(
      '--drain-budget <duration>',
      'let a cron drain by requests, each for so long, such as 10m (default: MILLRACE_DRAIN_BUDGET, or not at all)',
    )
  runs<StartFlags>(withConfig(command), start)
}

async function start({ flags, settings, out }: Context<StartFlags>): Promise<void> {
  const concurrency = readWholeNumber('--concurrency', flags.concurrency, 1, 10_000)
  const drainBudgetMs = readDrainBudget(flags.drainBudget)
  const interruption = hearInterruption()
  const { accessFromEnvironment, createServer } = await import('@millrace/api')
  const config = await loadConfig(settings.config)
  const token = await adminToken(settings)
  const server = await createServer({
    url: settings.url,
    host: settings.host,
    port: settings.port,
    access: accessFromEnvironment({ ...process.env, ADMIN_TOKEN: token.token }),
    modules: config.modules,
    worker: concurrency === undefined ? {} : { concurrency },
    overrideGlobalObjects: true,
    ...(flags.accessLog ? { accessLog: writeLine } : {}),
    ...(drainBudgetMs === undefined ? {} : { drain: { budgetMs: drainBudgetMs } }),
  }).catch(sayUnfit)
  const silence = showActivity(server.millrace, out)
  const types = config.modules.flatMap(each => each.handlers).map(each => each.job.type)
  out.value({
    event: 'listening',
    url: server.url,
    store: shownUrl(settings.url),
    tokenFile: token.file,
    types,
  })
  greet(out, { server: server.url, store: shownUrl(settings.url), token, types, modules: config.modules })
  await aborted(interruption.signal)
  await closeCalmly(server, out, defaultDeadlineMs)
  silence()
}

/** What is said of jobs that no drain could finish speaks to those who make a server in code; here, a flag sets the budget. */
function sayUnfit(error: unknown): never {
  const unfit = isQueueError(error) ? error.faults.filter(({ path }) => path[0] === 'drain') : []
  if (unfit.length === 0) throw error
  throw new CommandError(
    'drain-too-short',
    `the drain budget is shorter than these jobs may take, which would start anew in every drain: ${unfit.map(each => each.message).join(', ')}; ` +
      'raise --drain-budget or MILLRACE_DRAIN_BUDGET to the longest timeoutMs, lower the timeoutMs, define the job with usesSteps: true, or leave out the budget',
    error,
  )
}

/** Not part of what the command answers, so not on standard output. */
function writeLine(entry: object): void {
  process.stderr.write(`${JSON.stringify(entry)}\n`)
}

interface Greeting {
  server: string
  store: string
  token: AdminToken
  types: string[]
  modules: readonly Module[]
}

function greet(out: Output, { server, store, token, types, modules }: Greeting): void {
  const say = (title: string, text: string): void => out.line(`  ${out.style('dim', title.padEnd(9))}${text}`)
  out.line(`${out.style(['bold', 'green'], 'Millrace')} runs.`)
  out.line()
  say('listens', out.style('cyan', server))
  say('data', store)
  if (token.file === null) say('token', 'as ADMIN_TOKEN says')
  else say('token', `${token.token}  ${out.style('dim', `(kept in ${token.file})`)}`)
  say(
    'jobs',
    types.length > 0
      ? types.join(', ')
      : 'none: there is no millrace.config.ts here, so nothing is worked on',
  )
  if (token.warning) out.line(`\n  ${out.style('yellow', token.warning)}`)
  out.line()
  out.line('Next, in another terminal:')
  out.line()
  for (const line of suggestions(server, token, modules)) out.line(`  ${line}`)
  out.line()
  out.line(
    out.style('dim', `Ctrl-C stops it: running jobs get ${defaultDeadlineMs / 1_000} seconds to finish.`),
  )
  out.line()
}

function suggestions(server: string, token: AdminToken, modules: readonly Module[]): string[] {
  const millrace = invocation()
  const example = modules.find(each => each.example)?.example
  const enqueue =
    example && `${millrace} enqueue ${example.type} ${quoted(JSON.stringify(example.payload))} --wait`
  return [
    ...(enqueue ? [enqueue] : []),
    `${millrace} jobs`,
    `curl -H "Authorization: Bearer ${shownBearer(token)}" ${server}/api/v1/jobs`,
  ]
}
