import type { Context } from '../command.ts'
import { jobDocument, stepDocument } from '@millrace/api/documents'
import type { AttemptRecord, Job, LogView, Step } from 'millrace'
import { CommandError, exitCodes } from '../errors.ts'
import { formatTable } from '../format/table.ts'
import { formatAgo, formatDuration, formatUtc } from '../format/time.ts'
import { clean, fit } from '../format/width.ts'
import type { Output } from '../output.ts'
import { stateStyle } from '../state-style.ts'
import { withStore } from '../store.ts'

/** Longer values are cut for people; `--json` has them whole. */
const mostLines = 40
const mostLogLines = 200

export async function showJob({ args, settings, out }: Context<object>): Promise<number> {
  const id = args[0] as string
  const found = await withStore(settings, async millrace => {
    const job = await millrace.get(id)
    if (!job) return null
    const [attempts, steps, logs] = await Promise.all([
      millrace.attempts(job.id),
      millrace.steps(job.id),
      millrace.logs(job.id),
    ])
    return { job, attempts, steps, logs }
  })
  if (!found)
    throw new CommandError(
      'not-found',
      `There is no job ${id}: never enqueued here, or pruned by its retention`,
    )
  const { job, attempts, steps, logs } = found
  out.value({ ...jobDocument(job, attempts, logs), steps: steps.map(stepDocument) })
  if (out.json) return exitCodes.ok
  showHead(out, job, Date.now())
  showValue(out, 'Payload', job.payload)
  if (job.result !== null) showValue(out, 'Result', job.result)
  showError(out, job)
  showAttempts(out, attempts)
  showSteps(out, steps)
  showLogs(out, logs)
  return exitCodes.ok
}

function showHead(out: Output, job: Job, now: number): void {
  const say = (title: string, text: string): void =>
    out.line(`  ${out.style('dim', title.padEnd(10))}${clean(text)}`)
  const at = (ms: number): string => `${formatUtc(ms)} (${formatAgo(ms, now)})`
  out.line(`${out.style('bold', clean(job.type))}  ${out.style(stateStyle(job.shown), job.shown)}`)
  out.line()
  say('id', job.id)
  say('queue', `${job.queue}, priority ${job.priority}`)
  if (job.tenant !== '') say('tenant', job.tenant)
  if (job.idempotencyKey !== null) say('key', job.idempotencyKey)
  say(
    'attempt',
    `${job.attempt} of ${job.maxAttempts}${job.redrives > 0 ? `, redriven ${job.redrives}×` : ''}`,
  )
  if (job.flow !== null) say('flow', job.flow)
  if (job.origin !== null) say('origin', `${job.origin}, with another payload`)
  const attributes = Object.entries(job.attributes)
  if (attributes.length > 0) say('where', attributes.map(([name, value]) => `${name}=${value}`).join('  '))
  say('created', at(job.createdAt))
  if (job.state === 'queued' && job.runAt > job.createdAt) say('runs at', at(job.runAt))
  if (job.startedAt !== null) say('started', at(job.startedAt))
  if (job.finishedAt !== null) say('finished', `${at(job.finishedAt)}${took(job)}`)
  if (job.worker !== null) say('worker', job.worker)
  if (job.progress) say('progress', `${Math.floor(job.progress.percent)} %  ${job.progress.message ?? ''}`)
  if (job.cancelReason !== null) say('cancelled', job.cancelReason)
}

function took(job: Job): string {
  if (job.startedAt === null || job.finishedAt === null) return ''
  return `, took ${formatDuration(job.finishedAt - job.startedAt)}`
}

function section(out: Output, title: string): void {
  out.line()
  out.line(out.style('bold', title))
}

function showValue(out: Output, title: string, value: unknown): void {
  section(out, title)
  const lines = JSON.stringify(value, null, 2).split('\n')
  for (const line of lines.slice(0, mostLines)) out.line(`  ${fit(clean(line), out.columns - 2)}`)
  if (lines.length > mostLines)
    out.line(out.style('dim', `  … ${lines.length - mostLines} more lines; --json shows all`))
}

function showError(out: Output, { lastError }: Job): void {
  if (!lastError) return
  section(out, 'Last error')
  out.line(`  ${out.style('red', clean(`${lastError.name}: ${lastError.message}`))}`)
  const frames = (lastError.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  for (const frame of frames.slice(0, 12)) out.line(out.style('dim', `    ${clean(frame.trim())}`))
}

function showAttempts(out: Output, attempts: readonly AttemptRecord[]): void {
  if (attempts.length === 0) return
  section(out, 'Attempts')
  const lines = formatTable<AttemptRecord>(
    [
      { title: '#', value: each => String(each.attempt), align: 'right' },
      { title: 'OUTCOME', value: each => each.outcome },
      { title: 'STARTED', value: each => (each.startedAt === null ? '' : formatUtc(each.startedAt)) },
      { title: 'RAN', value: ran, align: 'right' },
      { title: 'WORKER', value: each => each.worker?.slice(-12) ?? '', drop: 1 },
      {
        title: 'ERROR',
        value: each => (each.error ? `${each.error.name}: ${each.error.message}` : ''),
        least: 10,
      },
    ],
    attempts,
    { columns: out.columns - 2, title: text => out.style('dim', text) },
  )
  for (const line of lines) out.line(`  ${line}`)
}

function ran({ startedAt, endedAt }: Pick<AttemptRecord, 'startedAt' | 'endedAt'>): string {
  return startedAt === null || endedAt === null ? '' : formatDuration(endedAt - startedAt)
}

const stepStyles = { completed: 'green', failed: 'red', caught: 'yellow', waiting: 'magenta' } as const

function showSteps(out: Output, steps: readonly Step[]): void {
  if (steps.length === 0) return
  section(out, 'Steps')
  const lines = formatTable<Step>(
    [
      { title: '#', value: each => String(each.ordinal), align: 'right' },
      { title: 'STEP', value: each => each.name, least: 10 },
      {
        title: 'STATE',
        value: each => each.state,
        style: (text, each) => out.style(stepStyles[each.state], text),
      },
      { title: 'IN', value: each => `attempt ${each.attempt}`, drop: 1 },
      { title: 'TOOK', value: ran, align: 'right', drop: 2 },
      { title: 'NOTE', value: stepNote, least: 10 },
    ],
    steps,
    { columns: out.columns - 2, title: text => out.style('dim', text) },
  )
  for (const line of lines) out.line(`  ${line}`)
}

/** What it answered, what it failed with, or what it waits for. */
function stepNote(step: Step): string {
  if (step.error) return `${step.error.name}: ${step.error.message}`
  if (step.state !== 'waiting') return step.result === null ? '' : JSON.stringify(step.result)
  const on = step.signal ? `for signal ${step.signal}` : step.childId ? `for job ${step.childId}` : 'asleep'
  return step.wakeAt === null ? on : `${on} until ${formatUtc(step.wakeAt)}`
}

const levels = { debug: 'dim', info: 'white', warn: 'yellow', error: 'red' } as const

function showLogs(out: Output, logs: readonly LogView[]): void {
  if (logs.length === 0) return
  section(out, 'Log')
  if (logs.length > mostLogLines)
    out.line(out.style('dim', `  … ${logs.length - mostLogLines} lines before; --json shows all`))
  for (const { at, level, message, data } of logs.slice(-mostLogLines)) {
    const time = new Date(at).toISOString().slice(11, 23)
    const rest = data === null || data === undefined ? '' : `  ${JSON.stringify(data)}`
    const style = levels[level as keyof typeof levels] ?? 'white'
    const room = out.columns - 2 - time.length - 2 - 5 - 2
    out.line(
      `  ${out.style('dim', time)}  ${out.style(style, level.padEnd(5))}  ${fit(clean(message + rest), room)}`,
    )
  }
}
