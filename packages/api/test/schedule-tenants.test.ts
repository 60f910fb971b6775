import { describe, expect, it } from 'vitest'
import { echo, who } from './sample-server.ts'
import { daily, scheduleStage } from './schedule-stage.ts'
import { storeKinds } from './stores.ts'

describe.each(storeKinds)('schedules of tenants, on %s', kind => {
  const stage = scheduleStage(kind)
  const { at, put, act } = stage

  it('of another tenant are not there', async () => {
    await put('theirs', { ...daily, tenant: 'umbrella' })
    const { body } = await put('ours', daily, who('admin/acme'))
    expect(body.schedule.job.tenant).toBe('acme')
    const headers = who('admin/acme')
    const listed = (await stage.api.ask('/api/v1/schedules', { headers })).body.schedules
    expect(new Set(listed.map(each => each.job.tenant))).toEqual(new Set(['acme']))
    for (const [method, action] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/run'],
      ['GET', '/ticks'],
      ['GET', '/preview'],
    ] as const)
      expect((await stage.api.ask(at('theirs', action), { method, headers })).status).toBe(404)
    expect((await put('theirs', daily, headers)).status).toBe(404)
    expect((await put('mine', { ...daily, tenant: 'umbrella' }, headers)).status).toBe(403)
    expect((await stage.api.ask(at('theirs'))).body).toMatchObject({
      paused: false,
      job: { tenant: 'umbrella' },
    })
  })

  it('are of the tenant that named them first, however many ask for a name at the same time', async () => {
    const tenants = ['acme', 'umbrella', 'globex']
    for (let round = 0; round < 5; round++) {
      const name = `race-${round}`
      const answers = await Promise.all(tenants.map(each => put(name, daily, who(`admin/${each}`))))
      expect(answers.map(each => each.status).toSorted()).toEqual([201, 404, 404])
      const winner = tenants[answers.findIndex(each => each.status === 201)]
      expect((await stage.api.ask(at(name))).body).toMatchObject({ job: { tenant: winner } })
    }
  })

  it.each([
    ['viewer', 200, 403, 403],
    ['operator', 200, 201, 403],
    ['user/acme', 403, 403, 403],
  ])('let %s do what the role may', async (said, reads, runs, puts) => {
    await stage.api.server.millrace.schedules.put('roles', { job: echo, payload: { text: 'x' }, every: '1h' })
    const headers = who(said)
    expect((await stage.api.ask(at('roles'), { headers })).status).toBe(reads)
    expect((await act('roles', '/run', headers)).status).toBe(runs)
    expect((await put('roles', daily, headers)).status).toBe(puts)
  })
})
