import type { Report } from '../../engine/contract.ts'
import { parseId } from '../../job/id.ts'
import { readToken } from './lease-token.ts'
import { writeSteps } from './steps.ts'
import type { Store } from './store.ts'
import { leaseHolder } from './workers.ts'

/** Log lines kept of one attempt; the last one says that more were dropped. */
const linesKept = 1_000

/** Progress, log lines and steps of running attempts, fenced like a settle. Inside a write. */
export function report(
  store: Store,
  now: number,
  workerName: string,
  reports: Report[],
): ('ok' | 'lease-lost')[] {
  const worker = leaseHolder(store, now, workerName)
  return reports.map(({ lease, progress, logLines, steps }) => {
    const held =
      worker !== undefined &&
      store.get<{ attempt: number }>(
        'SELECT attempt FROM millrace_job WHERE n = ? AND epoch = ? AND phase = 2 AND worker = ?',
        readToken(lease).n,
        lease.epoch,
        worker,
      )
    if (!held) return 'lease-lost'
    const id = parseId(lease.id)
    if (progress)
      store.run(
        `INSERT INTO millrace_progress (id, percent, message, data) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET percent = excluded.percent, message = excluded.message, data = excluded.data`,
        id,
        progress.percent,
        progress.message,
        progress.dataJson,
      )
    if (logLines) writeLog(store, { id, epoch: lease.epoch, attempt: held.attempt, lines: logLines })
    if (steps) writeSteps(store, now, { id, attempt: held.attempt, epoch: lease.epoch }, steps)
    return 'ok'
  })
}

function writeLog(
  store: Store,
  log: { id: Uint8Array; epoch: number; attempt: number; lines: NonNullable<Report['logLines']> },
): void {
  const last = store.get<{ line: number | null }>(
    'SELECT max(line) AS line FROM millrace_log WHERE id = ? AND epoch = ?',
    log.id,
    log.epoch,
  )
  let line = last?.line ?? 0
  for (const { at, level, message, dataJson } of log.lines) {
    if (line >= linesKept) return
    line++
    const full = line === linesKept
    store.run(
      'INSERT INTO millrace_log (id, epoch, line, attempt, at, level, message, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      log.id,
      log.epoch,
      line,
      log.attempt,
      at,
      full ? 'warn' : level,
      full ? `the log is full: only ${linesKept} lines of an attempt are kept` : message,
      full ? null : dataJson,
    )
  }
}
