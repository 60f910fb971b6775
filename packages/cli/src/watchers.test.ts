import type { Job } from 'millrace'
import { describe, expect, it } from 'vitest'
import type { Output } from './output.ts'
import { watcherFor } from './watchers.ts'

const now = Date.now()
const job: Job = {
  id: '01900000-0000-7000-8000-000000000001',
  type: 'COUNT',
  queue: 'default',
  tenant: '',
  state: 'running',
  shown: 'running',
  priority: 5,
  payload: {},
  result: null,
  attempt: 1,
  maxAttempts: 3,
  epoch: 1,
  deaths: 0,
  redrives: 0,
  createdAt: now,
  runAt: now,
  startedAt: now,
  finishedAt: null,
  worker: null,
  leaseExpiresAt: null,
  idempotencyKey: null,
  cancelReason: null,
  lastError: null,
  progress: { percent: 45.9, message: 'page 12', data: null },
  flow: null,
  origin: null,
  attributes: {},
}

function output(way: { json?: boolean; interactive?: boolean }): { out: Output; written: string[] } {
  const written: string[] = []
  const out: Output = {
    json: way.json ?? false,
    interactive: way.interactive ?? false,
    columns: way.interactive ? 80 : Number.POSITIVE_INFINITY,
    line: text => void written.push(`${text ?? ''}\n`),
    note: text => void written.push(text),
    value: value => void written.push(JSON.stringify(value)),
    raw: text => void written.push(text),
    style: (_, text) => text,
    error: () => {},
  }
  return { out, written }
}

describe('progress', () => {
  it('is a bar that is redrawn on a terminal, and leaves the cursor as it was', () => {
    const { out, written } = output({ interactive: true })
    const watcher = watcherFor(out)
    watcher.show(job, { anyWorker: true })
    watcher.end()
    expect(written[0]).toBe('\x1b[?25l')
    expect(written[1]?.startsWith('\r\x1b[2K')).toBe(true)
    expect(written[1]).toMatch(/ 45 % ━+╌+ 0:00 {2}page 12$/)
    expect(written[2]).toBe('\n\x1b[?25h')
  })

  it('is a line for each change elsewhere', () => {
    const { out, written } = output({})
    const watcher = watcherFor(out)
    watcher.show(job, { anyWorker: true })
    watcher.show(job, { anyWorker: true })
    watcher.show({ ...job, progress: { percent: 46, message: 'page 13', data: null } }, { anyWorker: true })
    expect(written).toEqual(['45 % page 12\n', '46 % page 13\n'])
  })

  it('is one JSON value for each change with --json', () => {
    const { out, written } = output({ json: true })
    const watcher = watcherFor(out)
    watcher.show(job, { anyWorker: true })
    watcher.show(job, { anyWorker: true })
    expect(written.map(text => JSON.parse(text))).toMatchObject([
      { event: 'progress', id: job.id, state: 'running', progress: { percent: 45.9 } },
    ])
  })

  it.each([
    [{ shown: 'queued', state: 'queued' }, true, 'waiting for a worker'],
    [{ shown: 'queued', state: 'queued' }, false, 'waiting for a worker; no worker is running on this store'],
    [{ shown: 'scheduled', state: 'queued', runAt: now + 3_600_000 }, true, /^runs in 1 h|59 min/],
    [
      { shown: 'retrying', state: 'queued', runAt: now - 1 },
      true,
      'attempt 1 failed (no error recorded), again in 0 ms',
    ],
    [{ shown: 'running', state: 'running' }, true, 'running, attempt 1 of 3'],
  ] as const)('says what %o is waiting for', (change, anyWorker, said) => {
    const { out, written } = output({})
    watcherFor(out).show({ ...job, ...change, progress: null }, { anyWorker })
    expect(written[0]?.trim()).toEqual(typeof said === 'string' ? said : expect.stringMatching(said))
  })
})
