import { previewRuns, type RuleOptions, type SchedulePolicy } from 'millrace'
import { type Asked, type Route, route } from '../border/route.ts'
import {
  getSchedule,
  listSchedules,
  pauseSchedule,
  previewRule,
  putSchedule,
  removeSchedule,
  resumeSchedule,
  runSchedule,
  scheduleRuns,
  scheduleTicks,
} from '../contract/schedules.ts'
import { defined } from '../defined.ts'
import { runDocument, type ScheduleDocument, scheduleDocument, tickDocument } from '../documents/index.ts'
import { intoPayload, readKey } from './enqueue.ts'
import { noSchedule, owns, ownSchedule, scopeOf, tenantFor } from './ownership.ts'

export const scheduleRoutes: Route[] = [
  route(listSchedules, async ({ millrace, principal }) => {
    const all = await millrace.schedules.list()
    const own = all.filter(each => owns(principal, each.job.tenant))
    return { status: 200, body: { schedules: own.map(scheduleDocument) } }
  }),

  route(getSchedule, async ({ millrace, principal, params }) => ({
    status: 200,
    body: scheduleDocument(await ownSchedule(millrace, principal, params.name)),
  })),

  route(putSchedule, async ({ millrace, principal, params: { name }, body, changed }) => {
    const { type, payload, tenant, ...rest } = body
    const policy = defined({ ...rest, tenant: tenantFor(principal, tenant) }) as SchedulePolicy
    const before = await millrace.schedules.get(name)
    if (before && !owns(principal, before.job.tenant)) throw noSchedule(name)
    const scope = scopeOf(principal)
    const outcome = await millrace.schedules.putByType(name, type, payload, policy, scope).catch(intoPayload)
    const schedule = scheduleDocument(await ownSchedule(millrace, principal, name))
    changed({ target: `schedule ${name}`, before: before && scheduleDocument(before), after: schedule })
    return { status: outcome === 'created' ? 201 : 200, body: { outcome, schedule } }
  }),

  route(removeSchedule, async ({ millrace, principal, params: { name }, changed }) => {
    const before = await ownSchedule(millrace, principal, name)
    if (!(await millrace.schedules.remove(name, scopeOf(principal)))) throw noSchedule(name)
    changed({ target: `schedule ${name}`, before: scheduleDocument(before) })
    return { status: 204, body: undefined }
  }),

  route(pauseSchedule, async asked => ({ status: 200, body: await pause(asked, true) })),

  route(resumeSchedule, async asked => ({ status: 200, body: await pause(asked, false) })),

  route(runSchedule, async ({ millrace, principal, params: { name }, c, changed }) => {
    await ownSchedule(millrace, principal, name)
    const idempotencyKey = readKey(c.req.header('idempotency-key'))
    const { id, duplicate } = await millrace.schedules.runNow(name, {
      ...defined({ idempotencyKey }),
      ...scopeOf(principal),
    })
    changed({ target: `schedule ${name}`, after: { id, duplicate } })
    return {
      status: duplicate ? 200 : 201,
      body: { id, duplicate },
      headers: { location: `/api/v1/jobs/${id}` },
    }
  }),

  route(scheduleTicks, async ({ millrace, principal, params, query }) => {
    const { name } = await ownSchedule(millrace, principal, params.name)
    const ticks = await millrace.schedules.ticks(name, query)
    return { status: 200, body: { ticks: ticks.map(tickDocument) } }
  }),

  route(scheduleRuns, async ({ millrace, principal, params, query }) => {
    const { name } = await ownSchedule(millrace, principal, params.name)
    const runs = await millrace.schedules.preview(name, query)
    return { status: 200, body: { runs: runs.map(runDocument) } }
  }),

  route(previewRule, ({ millrace, body }) => {
    const { after = millrace.clock.now(), count, ...rule } = body
    const runs = previewRuns(defined(rule) as RuleOptions, { after, count })
    return { status: 200, body: { runs: runs.map(runDocument) } }
  }),
]

async function pause(
  {
    millrace,
    principal,
    params: { name },
    changed,
  }: Pick<Asked<typeof pauseSchedule>, 'millrace' | 'principal' | 'params' | 'changed'>,
  paused: boolean,
): Promise<ScheduleDocument> {
  const before = await ownSchedule(millrace, principal, name)
  const { schedules } = millrace
  const scope = scopeOf(principal)
  const isThere = await (paused ? schedules.pause(name, scope) : schedules.resume(name, scope))
  if (!isThere) throw noSchedule(name)
  changed({ target: `schedule ${name}`, before: { paused: before.paused }, after: { paused } })
  return scheduleDocument({ ...before, paused })
}
