import { formatBar } from './format/bar.ts'
import type { Output } from './output.ts'

/** A line that is redrawn while something long is under way. Where nothing can be redrawn, nothing is written. */
export interface ProgressLine {
  show(done: number, total: number | null, message: string): void
  /** Called once, before anything else is written. */
  end(): void
}

const redrawMs = 50

export function progressLine(out: Output): ProgressLine {
  if (!out.interactive) return { show() {}, end() {} }
  const startedMs = performance.now()
  const showCursor = '\x1b[?25h'
  const restore = (): void => void process.stdout.write(showCursor)
  process.once('exit', restore)
  out.raw('\x1b[?25l')
  let drawnMs = Number.NEGATIVE_INFINITY
  return {
    show(done, total, message) {
      const now = performance.now()
      if (now - drawnMs < redrawMs && done !== total) return
      drawnMs = now
      const percent = total === null ? null : total === 0 ? 100 : (done / total) * 100
      const bar = formatBar({ percent, message, elapsedMs: now - startedMs }, out.columns)
      const drawn = `${out.style('cyan', bar.done)}${out.style('dim', bar.left)}`
      out.raw(`\r\x1b[2K${bar.percent}${drawn}${bar.rest}`)
    },
    end() {
      out.raw(`\r\x1b[2K${showCursor}`)
      process.off('exit', restore)
    },
  }
}
