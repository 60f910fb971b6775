import type { Command } from 'commander'
import type { Counts, StateCounts } from 'millrace'
import { type Context, runs } from '../command.ts'
import { formatNumber } from '../format/count.ts'
import { type Column, formatTable } from '../format/table.ts'
import type { Output } from '../output.ts'
import { shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'

export function statsCommand(root: Command): void {
  runs(root.command('stats').description('count jobs by state, type and queue'), showStats)
}

async function showStats({ settings, out }: Context<object>): Promise<void> {
  const counts = await withStore(settings, millrace => millrace.stats())
  out.value(counts)
  if (out.json) return
  const { completed, failedAttempts, dead, cancelled } = counts.last24h
  out.line(`Jobs in ${shownUrl(settings.url)}`)
  for (const line of lines(out, counts)) out.line(line)
  out.line()
  const numbers = [
    `${formatNumber(completed)} completed`,
    `${formatNumber(dead)} dead`,
    `${formatNumber(cancelled)} cancelled`,
  ]
  out.line(`Last 24 hours: ${numbers.join(', ')}; ${formatNumber(failedAttempts)} failed attempts.`)
}

interface Row {
  name: string
  counts: StateCounts
  heading?: boolean
}

function lines(out: Output, { total, byType, byQueue }: Counts): string[] {
  const rows: Row[] = [{ name: 'all', counts: total }, ...group('type', byType), ...group('queue', byQueue)]
  const states: (keyof StateCounts)[] = [
    'ready',
    'delayed',
    'blocked',
    'running',
    'completed',
    'cancelled',
    'dead',
  ]
  const count = (state: keyof StateCounts): Column<Row> => ({
    title: state.toUpperCase(),
    align: 'right',
    value: row => (row.heading ? '' : formatNumber(row.counts[state])),
    style: (text, row) =>
      row.counts[state] === 0 ? out.style('dim', text) : state === 'dead' ? out.style('red', text) : text,
    ...(state === 'blocked' ? { drop: 1 } : {}),
  })
  const name: Column<Row> = {
    title: '',
    value: row => row.name,
    least: 10,
    style: (text, row) => (row.heading ? out.style('dim', text) : text),
  }
  return formatTable([name, ...states.map(count)], rows, {
    columns: out.columns,
    title: text => out.style('dim', text),
  })
}

const none: StateCounts = {
  ready: 0,
  delayed: 0,
  blocked: 0,
  running: 0,
  completed: 0,
  cancelled: 0,
  dead: 0,
}

function group(title: string, counts: Record<string, StateCounts>): Row[] {
  const names = Object.keys(counts).sort()
  if (names.length === 0) return []
  return [
    { name: `by ${title}`, counts: none, heading: true },
    ...names.map(name => ({ name: `  ${name}`, counts: counts[name] ?? none })),
  ]
}
