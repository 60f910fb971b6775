import { flowDocument } from '@millrace/api/documents'
import type { Command } from 'commander'
import { type FlowFilter, type FlowRecord, type FlowState, flowStates } from 'millrace'
import { type Context, runs } from '../command.ts'
import { CommandError, exitCodes, UsageError } from '../errors.ts'
import { split } from '../filter.ts'
import { formatNumber } from '../format/count.ts'
import { formatTable } from '../format/table.ts'
import { formatAgo } from '../format/time.ts'
import { invocation } from '../invocation.ts'
import { readWholeNumber, shownUrl } from '../settings.ts'
import { flowStyle } from '../state-style.ts'
import { withStore } from '../store.ts'
import { showFlow } from './flows-show.ts'

interface ListFlags {
  state?: string[]
  name?: string
  tenant?: string
  limit?: string
  cursor?: string
}

export function flowsCommand(root: Command): void {
  const flows = root.command('flows').description('list flows, show one, cancel, retry').helpCommand(false)
  const list = flows
    .command('list', { isDefault: true })
    .description('newest first')
    .allowExcessArguments()
    .option('--state <state...>', flowStates.join(', '))
    .option('--name <name>', 'of this name')
    .option('--tenant <tenant>', 'of this tenant')
    .option('--limit <number>', 'how many (default: 20)')
    .option('--cursor <cursor>', 'the next page, as the last one said')
  runs<ListFlags>(list, listFlows)
  const show = flows.command('show').description('its jobs, as a tree').argument('<id>')
  runs(show.option('--mermaid', 'as a Mermaid flowchart'), showFlow)
  const cancel = flows.command('cancel').description('stop all that waits or runs').argument('<id>')
  runs(cancel.option('--reason <text>', 'why; kept with the flow'), cancelFlow)
  runs(flows.command('retry').description('run what died or was cancelled again').argument('<id>'), retryFlow)
}

async function listFlows({ args, flags, settings, out }: Context<ListFlags>): Promise<void> {
  if (args.length > 0)
    throw new UsageError(`flows has no command '${args[0]}'; it has list, show, cancel and retry`)
  const limit = readWholeNumber('--limit', flags.limit, 1, 1_000) ?? 20
  const filter = readFilter(flags)
  const { flows, cursor } = await withStore(settings, millrace =>
    millrace.flows.list(filter, { limit, ...(flags.cursor ? { cursor: flags.cursor } : {}) }),
  )
  out.value({ flows: flows.map(flowDocument), cursor })
  if (out.json) return
  const like = Object.keys(filter).length > 0 ? ' like that' : ' yet'
  if (flows.length === 0) return out.line(`No flows${like} in ${shownUrl(settings.url)}.`)
  const now = Date.now()
  const lines = formatTable<FlowRecord>(
    [
      { title: 'ID', value: flow => flow.id },
      { title: 'NAME', value: flow => flow.name, least: 8 },
      {
        title: 'STATE',
        value: flow => flow.state,
        style: (text, flow) => out.style(flowStyle(flow.state), text),
      },
      { title: 'ENDED', value: ended, align: 'right' },
      {
        title: 'DEAD',
        value: flow => (flow.dead > 0 ? formatNumber(flow.dead) : ''),
        align: 'right',
        drop: 1,
      },
      { title: 'WHEN', value: flow => formatAgo(flow.finishedAt ?? flow.createdAt, now), drop: 2 },
    ],
    flows,
    { columns: out.columns, title: text => out.style('dim', text) },
  )
  for (const line of lines) out.line(line)
  if (cursor)
    out.line(out.style('dim', `\nMore: ${invocation()} flows list --limit ${limit} --cursor ${cursor}`))
}

function ended({ total, completed, cancelled, dead }: FlowRecord): string {
  return `${formatNumber(completed + cancelled + dead)}/${formatNumber(total)}`
}

function readFilter({ state, name, tenant }: ListFlags): FlowFilter {
  return {
    ...(state ? { states: split(state).map(readState) } : {}),
    ...(name === undefined ? {} : { name }),
    ...(tenant === undefined ? {} : { tenant }),
  }
}

function readState(text: string): FlowState {
  const state = flowStates.find(known => known === text)
  if (state) return state
  throw new UsageError(`--state must be of ${flowStates.join(', ')}, not '${text}'`)
}

const cancelSaid = {
  cancelled: 'cancelled',
  requested: 'what waits is cancelled, and what runs is asked to stop',
  'already-finished': 'had finished already',
}

async function cancelFlow({ args, flags, settings, out }: Context<{ reason?: string }>): Promise<void> {
  const id = args[0] as string
  const reason = flags.reason === undefined ? {} : { reason: flags.reason }
  const outcome = await withStore(settings, millrace => millrace.flows.cancel(id, reason))
  if (outcome === 'not-found') throw absent(id)
  out.value({ id, outcome })
  out.line(`${id}  ${cancelSaid[outcome]}`)
}

async function retryFlow({ args, settings, out }: Context<object>): Promise<number> {
  const id = args[0] as string
  const outcome = await withStore(settings, millrace => millrace.flows.retry(id))
  if (outcome === 'not-found') throw absent(id)
  out.value({ id, outcome })
  out.line(
    outcome === 'redriven'
      ? `${id}  what died or was cancelled is queued again, and with it what was skipped`
      : `${id}  has no job that died or was cancelled`,
  )
  return outcome === 'redriven' ? exitCodes.ok : exitCodes.failed
}

function absent(id: string): CommandError {
  return new CommandError('not-found', `There is no flow ${id}: never enqueued here, or pruned with its jobs`)
}
