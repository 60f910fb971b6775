import type { Millrace } from 'millrace'
import { formatCount } from './format/count.ts'
import { formatDuration } from './format/time.ts'
import { clean } from './format/width.ts'
import type { Output, Style } from './output.ts'

/** Above this many lines in one second, the ordinary ones are only counted. */
const linesASecond = 20

/** Writes what a worker's process does, a line an event. What needs attention is always written. */
export function showActivity(millrace: Millrace, out: Output): () => void {
  let second = 0
  let lines = 0
  let unsaid = 0
  const ordinary = (text: string, style: Style): void => {
    const now = Math.floor(Date.now() / 1_000)
    if (now !== second) {
      if (unsaid > 0) say(out, 'dim', `… and ${formatCount(unsaid, 'more event')}`)
      second = now
      lines = 0
      unsaid = 0
    }
    if (++lines > linesASecond) unsaid++
    else say(out, style, text)
  }
  const stops = [
    millrace.on('started', job => {
      if (out.json) return out.value({ event: 'started', ...job })
      ordinary(
        `${name(job)} started${job.attempt > 1 ? `, attempt ${job.attempt} of ${job.maxAttempts}` : ''}`,
        'dim',
      )
    }),
    millrace.on('completed', job => {
      if (out.json) return out.value({ event: 'completed', ...job })
      ordinary(`${name(job)} completed in ${formatDuration(job.ranMs)}`, 'green')
    }),
    millrace.on('retrying', job => {
      if (out.json) return out.value({ event: 'retrying', ...job })
      const again = `attempt ${job.attempt} failed, again in ${formatDuration(job.inMs)}`
      say(out, 'yellow', `${name(job)} ${again}: ${job.error.name}: ${job.error.message}`)
    }),
    millrace.on('dead', job => {
      if (out.json) return out.value({ event: 'dead', ...job })
      say(
        out,
        'red',
        `${name(job)} is dead after attempt ${job.attempt}: ${job.error.name}: ${job.error.message}`,
      )
    }),
    millrace.on('cancelled', job => {
      if (out.json) return out.value({ event: 'cancelled', ...job })
      ordinary(`${name(job)} cancelled: ${job.reason}`, 'dim')
    }),
    millrace.on('waiting', job => {
      if (out.json) return out.value({ event: 'waiting', ...job })
      ordinary(`${name(job)} ${job.on === 'sleep' ? 'sleeps' : 'waits'} in its step ${job.step}`, 'dim')
    }),
    millrace.on('released', job => {
      if (out.json) return out.value({ event: 'released', ...job })
      ordinary(`${name(job)} given back, it runs again later`, 'dim')
    }),
    millrace.on('lease-lost', job => {
      if (out.json) return out.value({ event: 'lease-lost', ...job })
      say(out, 'yellow', `${name(job)} was taken from this worker: ${job.reason}`)
    }),
    millrace.on('abandoned', job => {
      if (out.json) return out.value({ event: 'abandoned', ...job })
      say(out, 'yellow', `${name(job)} did not stop when asked (${job.reason}); it is left to itself`)
    }),
    millrace.on('rescued', job => {
      if (out.json) return out.value({ event: 'rescued', ...job })
      say(out, 'yellow', `${name(job)} rescued from worker ${job.worker}, which went silent; now ${job.now}`)
    }),
    millrace.on('schedule-disabled', event => {
      if (out.json) return out.value({ event: 'schedule-disabled', ...event })
      say(out, 'red', `schedule ${event.schedule} is disabled: ${event.reason}`)
    }),
    millrace.on('trouble', ({ where, error }) => {
      if (out.json) return out.value({ event: 'trouble', where, error: String(error) })
      say(out, 'yellow', `trouble in ${where}: ${error instanceof Error ? error.message : String(error)}`)
    }),
  ]
  return () => stops.forEach(stop => stop())
}

function say(out: Output, style: Style, text: string): void {
  const time = new Date().toTimeString().slice(0, 8)
  out.line(`${out.style('dim', time)}  ${out.style(style, clean(text))}`)
}

function name(job: { type: string; id: string }): string {
  return `${job.type} ${job.id}`
}
