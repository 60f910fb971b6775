import { describe, expect, it } from 'vitest'
import { type Column, formatTable } from './table.ts'
import { displayWidth } from './width.ts'

interface Row {
  name: string
  count: number
  note: string
}

const columns: Column<Row>[] = [
  { title: 'NAME', value: row => row.name, least: 6 },
  { title: 'COUNT', value: row => String(row.count), align: 'right', drop: 2 },
  { title: 'NOTE', value: row => row.note, least: 8, drop: 1 },
]
const rows: Row[] = [
  { name: 'short', count: 7, note: 'a note' },
  { name: 'a much longer name', count: 12_345, note: 'a note that goes on for quite a while' },
]
const draw = (width: number) => formatTable(columns, rows, { columns: width, title: text => text })

describe('formatTable', () => {
  it('aligns columns, numbers to the right', () => {
    expect(draw(Number.POSITIVE_INFINITY)).toEqual([
      'NAME                COUNT  NOTE',
      'short                   7  a note',
      'a much longer name  12345  a note that goes on for quite a while',
    ])
  })

  it.each([120, 80, 60, 40, 30, 24, 20, 15])('is never wider than %d columns', width => {
    for (const line of draw(width)) expect(displayWidth(line)).toBeLessThanOrEqual(width)
  })

  it('shortens what may be shortened, the widest first', () => {
    expect(draw(45)).toEqual([
      'NAME                COUNT  NOTE',
      'short                   7  a note',
      'a much longer name  12345  a note that goes…',
    ])
  })

  it('leaves out a column when shortening is not enough, the most dispensable first', () => {
    expect(draw(18)).toEqual(['NAME      NOTE', 'short     a note', 'a much…   a note…'])
    expect(draw(15)).toEqual(['NAME', 'short', 'a much longer…'])
  })

  it('shows no escape sequences from its rows', () => {
    const row = { name: '\x1b[31mred', count: 1, note: 'two\nlines' }
    expect(formatTable(columns, [row], { columns: 80, title: text => text })[1]).toBe(
      'red       1  two lines',
    )
  })

  it('styles after it has measured', () => {
    const styled = columns.map(column => ({ ...column, style: (text: string) => `<${text}>` }))
    expect(formatTable(styled, rows.slice(0, 1), { columns: 80, title: text => text })[1]).toBe(
      '<short>  <    7>  <a note>',
    )
  })
})
