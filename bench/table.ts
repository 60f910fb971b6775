import { shown, type Result } from './harness.ts'
import type { Machine } from './machine.ts'

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
  const rows = results.map(({ name, ours, peer, peerName, ratio, unit, rounds, spread, note }) => [
    name,
    shown(ours),
    range(spread.ours),
    unit,
    peer === null ? '–' : shown(peer),
    range(spread.peer),
    ratio === null ? '–' : `× ${ratio}`,
    String(rounds),
    [peerName, note].filter(Boolean).join('; '),
  ])
  return table(
    [['figure', 'ours', 'from–to', 'unit', 'peer', 'from–to', 'ratio', 'rounds', 'peer is'], ...rows],
    [1, 2, 4, 5, 6, 7],
  )
}
