import { expect, it } from 'vitest'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

/** A schedule named theirs, of the tenant umbrella. */
async function theirs(stage: Stage) {
  const usual = await stage.schedule()
  const job = { ...usual.job, tenant: 'umbrella' }
  const settings = await stage.schedule({ name: 'theirs', job })
  return { settings, ours: { ...settings, job: { ...job, tenant: 'acme' } } }
}

const find = async (stage: Stage) =>
  (await stage.engine.schedules()).find(each => each.name === 'theirs') ?? null

export function scheduleTenantCases(subject: EngineSubject): void {
  it('is as good as absent to who acts within another tenant', async () => {
    const stage = await openStage(subject)
    const { settings, ours } = await theirs(stage)
    const before = await find(stage)
    expect(await stage.engine.putSchedule(ours, 'acme')).toBe('taken')
    expect(await stage.engine.putSchedule(settings, 'acme')).toBe('taken')
    expect(await stage.engine.pauseSchedule('theirs', true, 'acme')).toBe(false)
    expect(await stage.engine.removeSchedule('theirs', 'acme')).toBe(false)
    expect(await find(stage)).toEqual(before)
  })

  it('keeps its ticks when somebody else would remove it', async () => {
    const stage = await openStage(subject)
    const { settings } = await theirs(stage)
    const { firstAt: at } = settings
    const tick = { schedule: 'theirs', scheduledAt: at, expectedNextAt: at, nextAt: at + 1 }
    await stage.engine.fireTick({ ...tick, outcome: 'skip', job: null })
    await stage.engine.removeSchedule('theirs', 'acme')
    expect(await stage.engine.ticks('theirs', { limit: 10 })).toHaveLength(1)
  })

  it('obeys who acts within its own', async () => {
    const stage = await openStage(subject)
    const { settings } = await theirs(stage)
    expect(await stage.engine.putSchedule(settings, 'umbrella')).toBe('unchanged')
    expect(await stage.engine.putSchedule({ ...settings, overlap: 'skip' }, 'umbrella')).toBe('changed')
    expect(await stage.engine.pauseSchedule('theirs', true, 'umbrella')).toBe(true)
    expect(await find(stage)).toMatchObject({ paused: true, overlap: 'skip' })
    expect(await stage.engine.removeSchedule('theirs', 'umbrella')).toBe(true)
    expect(await find(stage)).toBeNull()
  })

  it('is of whoever put it first, when two tenants put the same name at the same time', async () => {
    const stage = await openStage(subject)
    const other = await stage.another()
    const { settings, ours } = await theirs(stage)
    for (let round = 0; round < 10; round++) {
      const name = `round-${round}`
      const answers = await Promise.all([
        stage.engine.putSchedule({ ...settings, name }, 'umbrella'),
        other.putSchedule({ ...ours, name }, 'acme'),
      ])
      expect(answers.toSorted()).toEqual(['created', 'taken'])
      const stored = (await stage.engine.schedules()).find(each => each.name === name)
      expect(stored?.job.tenant).toBe(answers[0] === 'created' ? 'umbrella' : 'acme')
    }
  })
}
