import type { StopOptions, Worker } from 'millrace'
import { formatCount } from './format/count.ts'
import type { Output } from './output.ts'

/** How long running jobs get when the process is asked to stop. Orchestrators commonly kill after 30 s. */
export const defaultDeadlineMs = 25_000

interface Closable {
  readonly worker: Worker | null
  close(options: StopOptions): Promise<void>
}

/** Drains and closes, saying what is waited for. */
export async function closeCalmly(running: Closable, out: Output, deadlineMs: number): Promise<void> {
  const jobs = running.worker?.running ?? 0
  out.value({ event: 'stopping', running: jobs, deadlineMs })
  if (jobs === 0) out.line('\nStopping.')
  else
    out.line(
      `\nStopping: waiting up to ${deadlineMs / 1_000} s for ${formatCount(jobs, 'running job')}. Ctrl-C again stops at once.`,
    )
  await running.close({ deadlineMs })
  out.value({ event: 'stopped' })
  out.line('Stopped.')
}
