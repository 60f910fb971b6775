import { expect, it } from 'vitest'
import type { NewAuditEntry } from '../../src/engine/audit.ts'
import { QueueError } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { openRuntime } from './runtime-stage.ts'
import type { EngineSubject } from './stage.ts'

const audit = { principal: 'ada', role: 'admin', action: 'job.cancel', target: 'job/1' }

export function auditLogCases(subject: EngineSubject): void {
  it('keeps what was done, with what was before and after', async () => {
    const { millrace, clock } = await openRuntime(subject)
    const { id } = await millrace.audit.record({
      ...audit,
      before: { state: 'queued' },
      after: { state: 'cancelled' },
      request: { id: 'r-1', ip: '127.0.0.1' },
    })
    expect((await millrace.audit.list()).entries).toEqual([
      {
        ...audit,
        id,
        at: clock.now(),
        before: { state: 'queued' },
        after: { state: 'cancelled' },
        request: { id: 'r-1', ip: '127.0.0.1' },
      },
    ])
  })

  it('takes the same id for the same entry', async () => {
    const { millrace } = await openRuntime(subject)
    const id = millrace.newId()
    await Promise.all([millrace.audit.record({ ...audit, id }), millrace.audit.record({ ...audit, id })])
    await millrace.audit.record({ ...audit, id })
    expect((await millrace.audit.list()).entries).toHaveLength(1)
  })

  it('writes the records of one turn together', async () => {
    const writes: number[] = []
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          appendAudit: (entries: NewAuditEntry[]) => {
            writes.push(entries.length)
            return engine.appendAudit(entries)
          },
        }),
    })
    await runtime.millrace.open()
    await Promise.all(Array.from({ length: 40 }, () => runtime.millrace.audit.record(audit)))
    expect(writes).toEqual([40])
    expect((await runtime.millrace.audit.list()).entries).toHaveLength(40)
  })

  it('gathers records that may wait, and writes them with the next that may not', async () => {
    const writes: number[] = []
    const { millrace } = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          appendAudit: (entries: NewAuditEntry[]) => {
            writes.push(entries.length)
            return engine.appendAudit(entries)
          },
        }),
    })
    await millrace.open()
    const gathered = [1, 2, 3].map(() => millrace.audit.record(audit, { gatherMs: 3_600_000 }))
    await millrace.audit.record(audit)
    await Promise.all(gathered)
    expect(writes).toEqual([4])
  })

  it('writes gathered records when their time has come, when they are asked for, and at the end', async () => {
    const { millrace, clock } = await openRuntime(subject)
    await millrace.open()
    await clock.until(millrace.audit.record({ ...audit, target: 'first' }, { gatherMs: 100 }))
    const second = millrace.audit.record({ ...audit, target: 'second' }, { gatherMs: 3_600_000 })
    expect((await millrace.audit.list()).entries.map(each => each.target)).toEqual(['second', 'first'])
    await second
    const third = millrace.audit.record({ ...audit, target: 'third' }, { gatherMs: 3_600_000 })
    await millrace.close()
    await third
  })

  it('tells everybody whose record was not written', async () => {
    const full = new QueueError('disk-full', 'no room')
    const { millrace } = await openRuntime(subject, {
      between: engine => override(engine, { appendAudit: () => Promise.reject(full) }),
    })
    const records = [millrace.audit.record(audit), millrace.audit.record(audit)]
    for (const record of records) await expect(record).rejects.toBe(full)
  })

  it('cuts a value that is longer than 16 KiB, with a mark', async () => {
    const { millrace } = await openRuntime(subject)
    const long = { text: '"é\n'.repeat(20_000) }
    await millrace.audit.record({ ...audit, before: { short: true }, after: long })
    const [entry] = (await millrace.audit.list()).entries
    expect(entry?.before).toEqual({ short: true })
    expect(entry?.after).toEqual({
      cut: true,
      bytes: Buffer.byteLength(JSON.stringify(long)),
      head: expect.stringMatching(/^\{"text":"/),
    })
    const bytes = Buffer.byteLength(JSON.stringify(entry?.after))
    expect(bytes).toBeLessThanOrEqual(16 * 1024)
    expect(bytes).toBeGreaterThan(8 * 1024)
  })

  it('refuses an entry that names nobody or holds no JSON, and says what is wrong', async () => {
    const { millrace } = await openRuntime(subject)
    const wrong = async (entry: object, message: RegExp): Promise<void> => {
      await expect(millrace.audit.record({ ...audit, ...entry })).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringMatching(message),
      })
    }
    await wrong({ principal: '' }, /principal/)
    await wrong({ id: 'mine' }, /mine/)
    await wrong({ after: 1n }, /after/)
    await wrong({ request: () => 1 }, /request/)
    await expect(millrace.audit.list({}, { limit: 0 })).rejects.toMatchObject({ code: 'invalid-argument' })
  })
}
