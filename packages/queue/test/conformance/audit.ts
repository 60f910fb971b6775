import { expect, it } from 'vitest'
import { type AuditRecord, auditKept, type NewAuditEntry } from '../../src/engine/audit.ts'
import { minuteMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

function anEntry(entry: Partial<NewAuditEntry> & { id: string }): NewAuditEntry {
  return {
    principal: 'ada',
    role: 'admin',
    action: 'job.cancel',
    target: 'job/1',
    beforeJson: null,
    afterJson: null,
    requestJson: null,
    ...entry,
  }
}

async function all({ engine }: Stage, filter = {}): Promise<AuditRecord[]> {
  return (await engine.audit(filter, { limit: 1_000 })).entries
}

export function auditCases(subject: EngineSubject): void {
  it('answers what was kept, as it was, at the time by the store’s clock', async () => {
    const stage = await openStage(subject)
    const entry = anEntry({
      id: stage.newId(),
      beforeJson: '{"a":"\\u0000"}',
      afterJson: '[1,"é"]',
      requestJson: '"r-1"',
    })
    await stage.engine.appendAudit([entry])
    expect(await all(stage)).toEqual([{ ...entry, at: stage.clock.now() }])
  })

  it('keeps one entry once, whoever repeats it', async () => {
    const stage = await openStage(subject)
    const elsewhere = await stage.another()
    const id = stage.newId()
    await stage.engine.appendAudit([anEntry({ id })])
    stage.clock.freeze(minuteMs)
    await elsewhere.appendAudit([anEntry({ id, action: 'other' }), anEntry({ id: stage.newId() })])
    const entries = await all(stage)
    expect(entries).toHaveLength(2)
    expect(entries[1]).toMatchObject({ id, action: 'job.cancel', at: stage.clock.now() - minuteMs })
  })

  it('is listed newest first, page by page, each entry once', async () => {
    const stage = await openStage(subject)
    const ids = Array.from({ length: 23 }, () => stage.newId())
    // Several in one millisecond, too.
    await stage.engine.appendAudit(ids.slice(0, 11).map(id => anEntry({ id })))
    for (const id of ids.slice(11)) {
      stage.clock.freeze(1)
      await stage.engine.appendAudit([anEntry({ id })])
    }
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page = cursor === null ? { limit: 5 } : { limit: 5, cursor }
      const answer: { entries: AuditRecord[]; cursor: string | null } = await stage.engine.audit({}, page)
      seen.push(...answer.entries.map(entry => entry.id))
      cursor = answer.cursor
    } while (cursor !== null)
    expect(seen).toEqual(ids.toReversed())
  })

  it('is found by who, what, to what and when', async () => {
    const stage = await openStage(subject)
    const from = stage.clock.now()
    const entries = [
      { principal: 'ada', action: 'job.cancel', target: 'job/1' },
      { principal: 'bob', action: 'job.cancel', target: 'job/2' },
      { principal: 'ada', action: 'queue.pause', target: 'queue/slow' },
    ]
    for (const entry of entries) {
      await stage.engine.appendAudit([anEntry({ id: stage.newId(), ...entry })])
      stage.clock.freeze(minuteMs)
    }
    const targets = async (filter: object): Promise<string[]> =>
      (await all(stage, filter)).map(entry => entry.target)
    expect(await targets({ principal: 'ada' })).toEqual(['queue/slow', 'job/1'])
    expect(await targets({ action: 'job.cancel' })).toEqual(['job/2', 'job/1'])
    expect(await targets({ target: 'job/2' })).toEqual(['job/2'])
    expect(await targets({ principal: 'ada', action: 'job.cancel' })).toEqual(['job/1'])
    expect(await targets({ from: from + minuteMs })).toEqual(['queue/slow', 'job/2'])
    expect(await targets({ until: from + minuteMs })).toEqual(['job/1'])
    expect(await targets({ principal: 'nobody' })).toEqual([])
  })

  it('refuses a cursor that it has not given', async () => {
    const { engine } = await openStage(subject)
    for (const cursor of ['x', Buffer.from('["a",1]').toString('base64url'), '%'])
      await expect(engine.audit({}, { limit: 5, cursor })).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  it('is forgotten after 400 days, a bounded number at a time', async () => {
    const stage = await openStage(subject)
    await stage.engine.appendAudit(Array.from({ length: 25 }, () => anEntry({ id: stage.newId() })))
    stage.clock.freeze(auditKept.ageMs - minuteMs)
    await stage.engine.appendAudit([anEntry({ id: stage.newId(), target: 'young' })])
    await stage.engine.prune({ rules: [], limit: 10 })
    expect(await all(stage)).toHaveLength(26)
    stage.clock.freeze(2 * minuteMs)
    expect(await stage.engine.prune({ rules: [], limit: 10 })).toMatchObject({ more: true })
    expect(await all(stage)).toHaveLength(16)
    while ((await stage.engine.prune({ rules: [], limit: 10 })).more);
    expect(await all(stage)).toMatchObject([{ target: 'young' }])
  })
}
