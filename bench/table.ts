import type { Machine } from './machine.ts'
import { shown } from './numbers.ts'
import type { Result } from './result.ts'

/** Columns of plain text, as wide as what is in them; the columns in `right` are numbers. */
export function table(rows: string[][], right: number[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(all[column] ?? 0, cell.length)),
    [],
  )
  return rows
    .map(row =>
      row
        .map((cell, column) =>
          right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function machineLines(machine: Machine): string {
  const { cpu, cores, memoryGb, system, node, sqlite, folder, filesystem, fsyncMs, load } = machine
  return [
    `${cores} × ${cpu}, ${memoryGb} GB, ${system}, load ${load}`,
    `Node ${node}, SQLite ${sqlite}; files in ${folder} (${filesystem}, fdatasync ${fsyncMs} ms)`,
  ].join('\n')
}

export function resultTable(results: Result[]): string {
  const range = (spread: [number, number] | null): string =>
    spread ? `${shown(spread[0])}–${shown(spread[1])}` : ''
  const judged = results.some(({ verdict }) => verdict)
  const rows = results.map(each => [
    each.name,
    shown(each.ours),
    range(each.spread.ours),
    each.unit,
    each.peer === null ? '–' : shown(each.peer),
    range(each.spread.peer),
    each.ratio === null ? '–' : `× ${shown(each.ratio)}`,
    range(each.spread.ratio),
    String(each.rounds),
    ...(judged ? [each.must ?? '', each.goal ?? '', each.verdict ?? ''] : []),
    [each.peerName, each.note].filter(Boolean).join('; '),
  ])
  const bounds = judged ? ['must', 'goal', 'is'] : []
  const heads = ['figure', 'ours', 'from–to', 'unit', 'peer', 'from–to', 'ratio', 'from–to', 'rounds']
  return table([[...heads, ...bounds, 'peer is'], ...rows], [1, 2, 4, 5, 6, 7, 8])
}
