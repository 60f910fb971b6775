import { flowDocument, nodeDocument } from '@millrace/api/documents'
import type { FlowNodeRecord, FlowRecord } from 'millrace'
import type { Context } from '../command.ts'
import { CommandError } from '../errors.ts'
import { formatCount, formatNumber } from '../format/count.ts'
import { formatAgo, formatDuration, formatUtc } from '../format/time.ts'
import { drawTree, treeColumns, treeLabel } from '../format/tree.ts'
import { clean, fit } from '../format/width.ts'
import type { Output } from '../output.ts'
import { flowStyle, stateStyle } from '../state-style.ts'
import { withStore } from '../store.ts'

export interface ShowFlags {
  mermaid?: boolean
}

export async function showFlow({ args, flags, settings, out }: Context<ShowFlags>): Promise<void> {
  const id = args[0] as string
  const { flow, nodes, graph } = await withStore(settings, async millrace => {
    const flow = await millrace.flows.get(id)
    if (!flow)
      throw new CommandError(
        'not-found',
        `There is no flow ${id}: never enqueued here, or pruned with its jobs`,
      )
    if (flags.mermaid) return { flow, nodes: [], graph: await millrace.flows.draw(id) }
    const nodes: FlowNodeRecord[] = []
    for await (const node of millrace.flows.nodes(id)) nodes.push(node)
    return { flow, nodes, graph: null }
  })
  if (graph !== null) {
    out.value({ ...flowDocument(flow), mermaid: graph })
    return out.line(graph)
  }
  out.value({ ...flowDocument(flow), nodes: nodes.map(nodeDocument) })
  if (out.json) return
  showHead(out, flow, Date.now())
  out.line()
  for (const line of treeLines(out, nodes, Date.now())) out.line(line)
}

function showHead(out: Output, flow: FlowRecord, now: number): void {
  const say = (title: string, text: string): void =>
    out.line(`  ${out.style('dim', title.padEnd(10))}${clean(text)}`)
  const at = (ms: number): string => `${formatUtc(ms)} (${formatAgo(ms, now)})`
  out.line(`${out.style('bold', clean(flow.name))}  ${out.style(flowStyle(flow.state), flow.state)}`)
  out.line()
  say('id', flow.id)
  if (flow.tenant !== '') say('tenant', flow.tenant)
  say('jobs', jobsOf(flow))
  say('created', at(flow.createdAt))
  if (flow.finishedAt !== null)
    say('finished', `${at(flow.finishedAt)}, took ${formatDuration(flow.finishedAt - flow.createdAt)}`)
  if (flow.cancelReason !== null) say('cancelled', flow.cancelReason)
}

function jobsOf({ total, completed, cancelled, dead }: FlowRecord): string {
  const parts = [
    [completed, 'completed'],
    [dead, 'dead'],
    [cancelled, 'cancelled'],
    [total - completed - cancelled - dead, 'left'],
  ] as const
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${formatNumber(count)} ${what}`)
  return `${formatCount(total, 'job')}: ${said.join(', ')}`
}

/** The graph as a tree, a line a job. */
export function treeLines(out: Output, nodes: readonly FlowNodeRecord[], now: number): string[] {
  const lines = drawTree(nodes.map(node => ({ ...node, name: clean(node.name) })))
  const width = treeColumns(lines, out.columns)
  return lines.map(line => {
    const { node, alsoAfter } = line
    if (node === null) return out.style('dim', line.branch + line.text)
    const [branch, name] = treeLabel(line, width)
    const shown = node.skipped ? 'skipped' : node.state
    const style = node.skipped ? 'dim' : stateStyle(node.state)
    const also = alsoAfter.length === 0 ? '' : `also after ${listed(alsoAfter)}`
    const note = [noteOf(node, now), also].filter(Boolean).join('; ')
    const room = out.columns - width - 2 - 9 - 2
    const state = note === '' ? shown : shown.padEnd(9)
    return `${out.style('dim', branch)}${name}  ${out.style(style, state)}${note === '' ? '' : `  ${out.style('dim', fit(note, room))}`}`
  })
}

function noteOf(node: FlowNodeRecord, now: number): string {
  if (node.state === 'blocked') return node.waits > 0 ? `waits for ${node.waits}` : 'waits in a step'
  if (node.state === 'running' && node.startedAt !== null)
    return `since ${formatDuration(Math.max(0, now - node.startedAt))}, attempt ${node.attempt}`
  if (node.startedAt !== null && node.finishedAt !== null)
    return `took ${formatDuration(node.finishedAt - node.startedAt)}${node.attempt > 1 ? `, attempt ${node.attempt}` : ''}`
  return node.attempt > 0 ? `attempt ${node.attempt} has failed` : ''
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3)
  return names.length > shown.length
    ? `${shown.join(', ')} and ${names.length - shown.length} more`
    : shown.join(', ')
}
