import { styleText } from 'node:util'
import type { ErrorReport } from './errors.ts'
import { cleanLines } from './format/width.ts'

export type Style = Parameters<typeof styleText>[0]

/** Where a command speaks: to a person, or with `--json` to a program. */
export interface Output {
  readonly json: boolean
  /** Whether standard output is a terminal that can redraw a line. */
  readonly interactive: boolean
  /** How wide a line may be; without end when it goes to a file. */
  readonly columns: number
  /** A line for a person. Not written with `--json`. */
  line(text?: string): void
  /** A line for a person that is not part of the answer, on standard error. Not written with `--json`. */
  note(text: string): void
  /** A value for a program: one line of JSON. Written only with `--json`. */
  value(value: unknown): void
  /** As it is, for redrawing. */
  raw(text: string): void
  style(style: Style, text: string): string
  error(report: ErrorReport, stack: string | undefined): void
}

export function processOutput(json: boolean): Output {
  const { stdout, stderr, env } = process
  const dumb = env.TERM === 'dumb'
  const colours = stdout.isTTY && !dumb && !env.NO_COLOR && !json
  return {
    json,
    interactive: stdout.isTTY && !dumb && !json,
    get columns() {
      return stdout.isTTY ? Math.max(20, stdout.columns || 80) : Number.POSITIVE_INFINITY
    },
    line: (text = '') => void (json || stdout.write(`${text}\n`)),
    note: text => void (json || stderr.write(`${cleanLines(text)}\n`)),
    value: value => void (json && stdout.write(`${JSON.stringify(value)}\n`)),
    raw: text => void (json || stdout.write(text)),
    style: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
    error: (report, stack) => {
      const { code, message, faults, unexpected } = report
      if (json) stdout.write(`${JSON.stringify({ error: { code, message, faults } })}\n`)
      else stderr.write(`millrace: ${cleanLines(unexpected && stack ? `unexpected: ${stack}` : message)}\n`)
    },
  }
}
