import type { Command } from 'commander'
import { previewSchedule, type ScheduleRecord } from 'millrace'
import { formatInstant, scheduleDocument } from '@millrace/api/documents'
import { type Context, runs } from '../command.ts'
import { formatTable } from '../format/table.ts'
import { formatAgo, formatDuration, formatUtc } from '../format/time.ts'
import { shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'

export function schedulesCommand(root: Command): void {
  runs(root.command('schedules').description('list recurring jobs and when they fire next'), listSchedules)
}

async function listSchedules({ settings, out }: Context<object>): Promise<void> {
  const schedules = await withStore(settings, millrace => millrace.schedules.list())
  const now = Date.now()
  const shown = schedules.map(schedule => ({ schedule, next: nextInstants(schedule) }))
  out.value({
    schedules: shown.map(({ schedule, next }) => ({
      ...scheduleDocument(schedule),
      next: next.map(formatInstant),
    })),
  })
  if (out.json) return
  if (shown.length === 0) return out.line(`No schedules in ${shownUrl(settings.url)}.`)
  const lines = formatTable(
    [
      { title: 'NAME', value: ({ schedule }) => schedule.name, least: 10 },
      { title: 'JOB', value: ({ schedule }) => schedule.job.type, least: 10, drop: 2 },
      { title: 'RULE', value: ({ schedule }) => rule(schedule), least: 12 },
      {
        title: 'NEXT',
        value: ({ schedule, next }) => state(schedule) ?? formatAgo(next[0] ?? schedule.nextAt, now),
      },
      { title: 'AT', value: ({ next }) => next.map(formatUtc).join(', '), least: 20, drop: 1 },
    ],
    shown,
    { columns: out.columns, title: text => out.style('dim', text) },
  )
  for (const line of lines) out.line(line)
}

function state({ paused, disabledReason }: ScheduleRecord): string | null {
  if (disabledReason !== null) return `disabled: ${disabledReason}`
  return paused ? 'paused' : null
}

function rule({ rule }: ScheduleRecord): string {
  if ('everyMs' in rule) return `every ${formatDuration(rule.everyMs)}`
  return `${rule.cron}${rule.timeZone ? ` (${rule.timeZone})` : ''}`
}

/** The next instant that the store holds, and two after it. A rule that can't be computed any more has none. */
function nextInstants({ rule, nextAt, disabledReason }: ScheduleRecord): number[] {
  if (disabledReason !== null) return []
  try {
    const options =
      'everyMs' in rule
        ? { every: rule.everyMs }
        : { cron: rule.cron, ...(rule.timeZone ? { timeZone: rule.timeZone } : {}) }
    const following =
      'everyMs' in rule
        ? [nextAt + rule.everyMs, nextAt + 2 * rule.everyMs]
        : previewSchedule(options, { after: nextAt, count: 2 })
    return [nextAt, ...following]
  } catch {
    return [nextAt]
  }
}
