import { type Job } from 'millrace'
import { jobSummary } from '@millrace/api/documents'
import type { Waiting, Watcher } from './follow.ts'
import { formatBar } from './format/bar.ts'
import { formatDuration } from './format/time.ts'
import { clean } from './format/width.ts'
import type { Output } from './output.ts'

/** The way to show progress that fits where the output goes. */
export function watcherFor(out: Output): Watcher {
  if (out.json) return jsonWatcher(out)
  return out.interactive ? barWatcher(out) : lineWatcher(out)
}

/** Redraws one line. */
function barWatcher(out: Output): Watcher {
  const hideCursor = '\x1b[?25l'
  const showCursor = '\x1b[?25h'
  const eraseLine = '\r\x1b[2K'
  const restore = (): void => void process.stdout.write(showCursor)
  process.once('exit', restore)
  out.raw(hideCursor)
  return {
    show(job, waiting) {
      const percent = job.progress?.percent ?? (job.state === 'completed' ? 100 : null)
      const bar = formatBar(
        {
          percent,
          message: describe(job, waiting),
          elapsedMs: (job.finishedAt ?? Date.now()) - job.createdAt,
        },
        out.columns,
      )
      out.raw(
        `${eraseLine}${bar.percent}${out.style('cyan', bar.done)}${out.style('dim', bar.left)}${bar.rest}`,
      )
    },
    end() {
      out.raw(`\n${showCursor}`)
      process.off('exit', restore)
    },
  }
}

/** A line whenever something has changed. */
function lineWatcher(out: Output): Watcher {
  let last = ''
  return {
    show(job, waiting) {
      const percent = job.progress ? `${Math.floor(job.progress.percent)} % ` : ''
      const line = `${percent}${describe(job, waiting)}`
      if (line !== last) out.line(line)
      last = line
    },
    end() {},
  }
}

function jsonWatcher(out: Output): Watcher {
  let last = ''
  return {
    show(job, { anyWorker }) {
      const { id, state, shown, attempt, progress, lastError } = jobSummary(job)
      const change = { id, state, shown, attempt, progress, lastError, anyWorker }
      const text = JSON.stringify(change)
      if (text !== last) out.value({ event: 'progress', ...change })
      last = text
    },
    end() {},
  }
}

/** What happens with the job now, in a few words. */
function describe(job: Job, { anyWorker }: Waiting): string {
  const said = job.progress?.message
  if (job.shown === 'running') return clean(said ?? `running, attempt ${job.attempt} of ${job.maxAttempts}`)
  if (job.state !== 'queued') return job.shown
  const hint = anyWorker ? '' : '; no worker is running on this store'
  if (job.shown === 'retrying')
    return `attempt ${job.attempt} failed (${clean(job.lastError?.message ?? 'no error recorded')}), again in ${formatDuration(job.runAt - Date.now())}${hint}`
  if (job.shown === 'scheduled') return `runs in ${formatDuration(job.runAt - Date.now())}${hint}`
  return `waiting for a worker${hint}`
}
