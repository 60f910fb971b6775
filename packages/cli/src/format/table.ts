import { clean, displayWidth, fit, pad } from './width.ts'

export interface Column<Row> {
  title: string
  value(row: Row): string
  align?: 'left' | 'right'
  /** Gives up room down to this many columns when the terminal is narrow. */
  least?: number
  /** Left out when there is still no room; the highest goes first. */
  drop?: number
  style?(text: string, row: Row): string
}

const gap = '  '

/** Aligned lines that are no wider than `columns`, the titles first. */
export function formatTable<Row>(
  given: readonly Column<Row>[],
  rows: readonly Row[],
  options: { columns: number; title(text: string): string },
): string[] {
  const { shown, widths } = layOut(given, rows, options.columns)
  const draw = (
    cell: (column: Column<Row>) => string,
    style: (column: Column<Row>, text: string) => string,
  ): string =>
    shown
      .map((column, index) => {
        const width = widths[index] as number
        const text = fit(cell(column), width)
        const padded =
          index === shown.length - 1 && column.align !== 'right' ? text : pad(text, width, column.align)
        return style(column, padded)
      })
      .join(gap)
      .trimEnd()
  return [
    draw(
      column => column.title,
      (_, text) => options.title(text),
    ),
    ...rows.map(row =>
      draw(
        column => clean(column.value(row)),
        (column, text) => column.style?.(text, row) ?? text,
      ),
    ),
  ]
}

function layOut<Row>(
  given: readonly Column<Row>[],
  rows: readonly Row[],
  room: number,
): { shown: Column<Row>[]; widths: number[] } {
  let shown = [...given]
  while (true) {
    const widths = shown.map(column =>
      Math.max(displayWidth(column.title), ...rows.map(row => displayWidth(clean(column.value(row))))),
    )
    let excess = widths.reduce((sum, width) => sum + width, gap.length * (shown.length - 1)) - room
    for (; excess > 0; excess--) {
      const index = widest(shown, widths)
      if (index < 0) break
      widths[index] = (widths[index] as number) - 1
    }
    const victim = excess > 0 ? mostDroppable(shown) : undefined
    if (!victim) return { shown, widths }
    shown = shown.filter(column => column !== victim)
  }
}

function widest<Row>(columns: readonly Column<Row>[], widths: readonly number[]): number {
  let found = -1
  columns.forEach(({ least }, index) => {
    const width = widths[index] as number
    if (least !== undefined && width > least && (found < 0 || width > (widths[found] as number)))
      found = index
  })
  return found
}

function mostDroppable<Row>(columns: readonly Column<Row>[]): Column<Row> | undefined {
  return columns.filter(({ drop }) => drop !== undefined).sort((a, b) => (b.drop ?? 0) - (a.drop ?? 0))[0]
}
