import { clean, displayWidth, fit } from './width.ts'
import { formatStopwatch } from './time.ts'

export interface BarState {
  /** 0 to 100; null while nothing is known. */
  percent: number | null
  message: string
  elapsedMs: number
}

/** ` 45 %  ━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌  0:12  page 12 of 34`, never wider than `columns`. */
export function formatBar(
  state: BarState,
  columns: number,
): { percent: string; done: string; left: string; rest: string } {
  const share = Math.min(1, Math.max(0, (state.percent ?? 0) / 100))
  const percent = state.percent === null ? '   –  ' : `${String(Math.floor(share * 100)).padStart(3)} % `
  const time = ` ${formatStopwatch(state.elapsedMs)}`
  const barColumns = Math.max(
    0,
    Math.min(30, Math.floor(columns * 0.4), columns - displayWidth(percent + time) - 1),
  )
  const filled = Math.round(share * barColumns)
  const room = columns - displayWidth(percent) - barColumns - displayWidth(time) - 3
  const message = room >= 8 ? `  ${fit(clean(state.message), room)}` : ''
  return {
    percent,
    done: '━'.repeat(filled),
    left: '╌'.repeat(barColumns - filled),
    rest: `${time}${message}`,
  }
}
