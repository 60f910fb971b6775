import type { Command } from 'commander'
import type { DemoSummary, MillraceServer, Module, ModuleDemo } from '@millrace/api'
import type { Job, Millrace } from 'millrace'
import { type AdminToken, adminToken, shownBearer } from '../admin-token.ts'
import { type Context, runs, withConfig } from '../command.ts'
import { loadConfig } from '../config.ts'
import { CommandError, exitCodes } from '../errors.ts'
import { follow } from '../follow.ts'
import { formatTable } from '../format/table.ts'
import { invocation } from '../invocation.ts'
import type { Output } from '../output.ts'
import { type Settings, shownUrl } from '../settings.ts'
import { aborted, hearInterruption } from '../shutdown.ts'
import { closeCalmly } from '../stopping.ts'
import { watcherFor } from '../watchers.ts'
import { showEnd } from './enqueue.ts'

/** Only the demo's own worker claims from it, so that another server on this store does not take its job. */
const demoQueue = 'demo'
const deadlineMs = 5_000

interface DemoFlags {
  keep?: boolean
}

export function demoCommand(root: Command): void {
  const command = root
    .command('demo')
    .description('watch a real job from beginning to end')
    .option('--keep', 'go on serving afterwards, until Ctrl-C')
  runs<DemoFlags>(withConfig(command), demo)
}

async function demo({ flags, settings, out }: Context<DemoFlags>): Promise<number> {
  const interruption = hearInterruption()
  const { modules, path } = await loadConfig(settings.config)
  const shown = modules.find(each => each.demo)?.demo
  if (!shown)
    throw new CommandError(
      'no-demo',
      `${path ?? 'There is no millrace.config.ts here, so it'} has no demo to show`,
    )
  Object.assign(process.env, shown.environment)
  const token = await adminToken(settings)
  const prepared = await shown.prepare()
  try {
    const server = await startServer(settings, token, modules, flags.keep === true)
    try {
      introduce(out, shown, { setting: prepared.setting, server: server.url, store: shownUrl(settings.url) })
      await cancelLeftovers(server.millrace)
      const { id } = await server.millrace.enqueueByType(prepared.type, prepared.payload, {
        queue: demoQueue,
      })
      out.value({ event: 'enqueued', id })
      const job = await follow(server.millrace, id, watcherFor(out), interruption.signal)
      if (!job) await server.millrace.cancel(id, { reason: 'the demo was interrupted' })
      if (job?.state !== 'completed') return job ? showEnd(out, job) : exitCodes.interrupted
      out.value({ event: 'completed', id, result: job.result })
      const summary = prepared.summarize(job.result)
      showSummary(out, summary)
      whereToLook(out, job, { server, token, paths: summary.paths, keep: flags.keep === true })
      if (flags.keep) await aborted(interruption.signal)
      return exitCodes.ok
    } finally {
      if (interruption.signal.aborted) await closeCalmly(server, out, deadlineMs)
      else await server.close({ deadlineMs })
    }
  } finally {
    await prepared.close()
  }
}

async function startServer(
  { url, host, port }: Settings,
  { token }: AdminToken,
  modules: readonly Module[],
  keep: boolean,
): Promise<MillraceServer> {
  const { accessFromEnvironment, createServer } = await import('@millrace/api')
  const queues = keep ? [demoQueue, ...modules.flatMap(each => each.jobs).map(job => job.queue)] : [demoQueue]
  const options = {
    url,
    host,
    modules,
    access: accessFromEnvironment({ ADMIN_TOKEN: token }),
    worker: { queues: [...new Set(queues)] },
  }
  try {
    return await createServer({ ...options, port })
  } catch (error) {
    // A server that runs already is no reason not to show anything.
    if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error
    return createServer({ ...options, port: 0 })
  }
}

/** What a killed demo has left behind works on a site that is gone. */
async function cancelLeftovers(millrace: Millrace): Promise<void> {
  const { jobs } = await millrace.list({ queues: [demoQueue], states: ['queued'] }, { limit: 100 })
  const ids = jobs.map(job => job.id)
  if (ids.length > 0) await millrace.cancelMany(ids, { reason: 'left behind by an earlier demo' })
}

function introduce(
  out: Output,
  demo: ModuleDemo,
  where: { setting: string; server: string; store: string },
): void {
  const environment = Object.entries(demo.environment ?? {}).map(([name, value]) => `${name}=${value}`)
  out.value({
    event: 'listening',
    url: where.server,
    store: where.store,
    environment: demo.environment ?? {},
  })
  out.line(out.style('bold', demo.title))
  out.line()
  const say = (title: string, text: string): void => out.line(`  ${out.style('dim', title.padEnd(9))}${text}`)
  say('on', where.setting)
  say('server', where.server)
  say('data', where.store)
  if (environment.length > 0) say('with', `${environment.join(' ')}, for this process only`)
  out.line()
}

function showSummary(out: Output, summary: DemoSummary): void {
  out.line()
  out.line(out.style('bold', summary.headline))
  for (const { columns, rows } of summary.tables) {
    out.line()
    const lines = formatTable(
      columns.map((title, index) => ({
        title: title.toUpperCase(),
        value: (row: (string | number)[]) => String(row[index] ?? ''),
        align: typeof rows[0]?.[index] === 'number' ? ('right' as const) : ('left' as const),
        least: 8,
      })),
      rows,
      { columns: out.columns - 2, title: text => out.style('dim', text) },
    )
    for (const line of lines) out.line(`  ${line}`)
  }
}

interface Whereabouts {
  server: MillraceServer
  token: AdminToken
  paths: string[]
  keep: boolean
}

function whereToLook(out: Output, job: Job, { server, token, paths, keep }: Whereabouts): void {
  const millrace = invocation()
  const bearer = shownBearer(token)
  out.line()
  out.line('See more:')
  out.line()
  out.line(`  ${millrace} jobs show ${job.id}`)
  if (!keep)
    out.line(
      `  ${millrace.startsWith('npm') ? 'npm start' : `${millrace} start`}   ${out.style('dim', 'and then, in another terminal:')}`,
    )
  const base = keep ? server.url : 'http://127.0.0.1:3000'
  for (const path of paths) out.line(`  curl -H "Authorization: Bearer ${bearer}" ${base}${path}`)
  if (keep) out.line(`\n${out.style('dim', 'Ctrl-C stops it.')}`)
}
