import type { Counts, Millrace, ScheduleRecord, StateCounts } from 'millrace'
import { Gauge, Registry } from 'prom-client'
import { otherName } from './bounded-names.ts'

/** Each has a series for each state. */
const namesShown = 100

/** What the store tells now, in a registry of its own, so that nothing of an earlier look is left in it. */
export async function readStore(millrace: Millrace): Promise<Registry> {
  const registry = new Registry()
  const registers = [registry]
  const up = new Gauge({
    name: 'millrace_store_up',
    help: 'Whether the store answered this look.',
    registers,
  })
  try {
    const [counts, schedules, workers] = await Promise.all([
      millrace.stats(),
      millrace.schedules.list(),
      millrace.workers(),
    ])
    up.set(1)
    tellJobs(registry, counts)
    tellSchedules(registry, schedules, millrace.clock.now())
    new Gauge({ name: 'millrace_workers', help: 'Workers whose lease holds.', registers }).set(workers.length)
  } catch (error) {
    up.set(0)
    millrace.events.emit('trouble', { where: 'metrics', error })
  }
  return registry
}

function tellJobs(registry: Registry, { byQueue, byType }: Counts): void {
  const groups = [
    ['queue', 'millrace_jobs', byQueue],
    ['type', 'millrace_jobs_by_type', byType],
  ] as const
  for (const [label, name, counts] of groups) {
    const gauge = new Gauge({
      name,
      help: `Jobs in the store by ${label} and state.`,
      labelNames: [label, 'state'],
      registers: [registry],
    })
    for (const [group, states] of bounded(Object.entries(counts), liveIn))
      for (const [state, count] of Object.entries(states))
        gauge.inc({ [label]: group, state } as Record<string, string>, count)
  }
}

/** Those with the most work ahead under their names, the others together. */
function bounded(
  groups: [string, StateCounts][],
  weight: (counts: StateCounts) => number,
): [string, StateCounts][] {
  return groups
    .toSorted(([a, mine], [b, others]) => weight(others) - weight(mine) || (a < b ? -1 : 1))
    .map(([name, counts], index) => [index < namesShown ? name : otherName, counts])
}

function liveIn({ ready, delayed, blocked, running }: StateCounts): number {
  return ready + delayed + blocked + running
}

function tellSchedules(registry: Registry, schedules: ScheduleRecord[], now: number): void {
  const registers = [registry]
  const states = new Gauge({
    name: 'millrace_schedules',
    help: 'Schedules by whether they fire.',
    labelNames: ['state'],
    registers,
  })
  for (const state of ['active', 'paused', 'disabled']) states.set({ state }, 0)
  for (const schedule of schedules) states.inc({ state: stateOf(schedule) })
  const lags = schedules
    .filter(each => stateOf(each) === 'active')
    .map(({ name, nextAt }) => ({ name, lagMs: Math.max(0, now - nextAt) }))
    .toSorted((a, b) => b.lagMs - a.lagMs || (a.name < b.name ? -1 : 1))
  const lag = new Gauge({
    name: 'millrace_schedule_lag_seconds',
    help: 'How long the next tick of an active schedule is overdue; of the hundred that are latest.',
    labelNames: ['schedule'],
    registers,
  })
  for (const { name, lagMs } of lags.slice(0, namesShown)) lag.set({ schedule: name }, lagMs / 1_000)
}

function stateOf({ paused, disabledReason }: ScheduleRecord): 'active' | 'paused' | 'disabled' {
  if (disabledReason !== null) return 'disabled'
  return paused ? 'paused' : 'active'
}
