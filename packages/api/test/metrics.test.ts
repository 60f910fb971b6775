import { createApi, operations } from '@millrace/api'
import { createMillrace, openEngine, type ScheduleRecord } from 'millrace'
import { describe, expect, it } from 'vitest'
import { readMetrics, type Sample } from './prometheus-text.ts'
import { believe, echo, fail, startTestServer, type TestServer, token, who } from './sample-server.ts'
import { makeStore, storeKinds } from './stores.ts'

const access = { adminTokens: [token], authenticate: believe }

/** What stands in /metrics now: the value of one series, undefined where there is none. */
async function look(api: Pick<TestServer, 'ask'>) {
  const { status, headers, body } = await api.ask('/metrics')
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  const families = readMetrics(body as unknown as string)
  const samples = (name: string): Sample[] =>
    [...families.values()].flatMap(family => family.samples).filter(each => each.name === name)
  const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
    samples(name).find(each => Object.entries(labels).every(([label, said]) => each.labels[label] === said))
      ?.value
  return { families, samples, value }
}

describe.each(storeKinds)('metrics, on %s', kind => {
  it('tell the jobs, schedules and workers of the store', async () => {
    await using store = await makeStore(kind)
    await using api = await startTestServer({ url: store.url, access, worker: false })
    const { millrace } = api.server
    await millrace.enqueue(echo, { text: 'x' })
    await millrace.enqueue(echo, { text: 'x' }, { delay: '1h' })
    await millrace.enqueue(fail, { message: 'x' })
    for (const name of ['on', 'off', 'late'])
      await millrace.schedules.put(name, { job: echo, payload: { text: 'x' }, every: '1h' })
    await millrace.schedules.pause('off')
    const late = (await millrace.schedules.get('late')) as ScheduleRecord
    await millrace.schedules.remove('late')
    const firstAt = millrace.clock.now() - 90_000
    await millrace.engine.putSchedule({ ...late, firstAt })
    await millrace.engine.heartbeat({ worker: 'w', label: 'w', leases: [], leaseMs: 60_000 })
    const { value } = await look(api)
    expect(value('millrace_store_up')).toBe(1)
    expect(value('millrace_jobs', { queue: 'fast', state: 'ready' })).toBe(1)
    expect(value('millrace_jobs', { queue: 'fast', state: 'delayed' })).toBe(1)
    expect(value('millrace_jobs', { queue: 'fast', state: 'dead' })).toBe(0)
    expect(value('millrace_jobs_by_type', { type: 'FAIL', state: 'ready' })).toBe(1)
    expect(value('millrace_schedules', { state: 'active' })).toBe(2)
    expect(value('millrace_schedules', { state: 'paused' })).toBe(1)
    expect(value('millrace_schedule_lag_seconds', { schedule: 'on' })).toBe(0)
    expect(value('millrace_schedule_lag_seconds', { schedule: 'late' })).toBeGreaterThanOrEqual(90)
    expect(value('millrace_schedule_lag_seconds', { schedule: 'off' })).toBeUndefined()
    expect(value('millrace_workers')).toBe(1)
  })
})

describe('metrics', () => {
  it("count what this process's worker does", async () => {
    await using api = await startTestServer({ access, worker: { pollMs: 50 } })
    const { millrace } = api.server
    const done = await millrace.enqueue(echo, { text: 'x' })
    const died = await millrace.enqueue(fail, { message: 'x' })
    await millrace.result(done.id, { timeoutMs: 10_000 })
    await millrace.result(died.id, { timeoutMs: 10_000 }).catch(() => {})
    const { value } = await look(api)
    expect(value('millrace_jobs_completed_total', { type: 'ECHO', queue: 'fast' })).toBe(1)
    expect(value('millrace_attempts_failed_total', { type: 'FAIL', queue: 'default' })).toBe(1)
    expect(value('millrace_jobs_dead_total', { type: 'FAIL', queue: 'default' })).toBe(1)
    for (const type of ['ECHO', 'FAIL']) {
      expect(value('millrace_job_run_seconds_count', { type })).toBe(1)
      expect(value('millrace_job_wait_seconds_count', { type })).toBe(1)
    }
  })

  it('count requests by operation and status, whatever became of them', async () => {
    await using api = await startTestServer({ access, worker: false })
    await api.ask('/api/v1/stats')
    await api.ask('/api/v1/stats', { headers: { authorization: 'Bearer wrong' } })
    await api.ask('/api/v1/stats', { headers: who('processor') })
    await api.ask('/api/v1/jobs/01900000-0000-7000-8000-000000000000')
    for (let n = 0; n < 3; n++) await api.ask(`/nothing/at/${n}`)
    const { value, samples } = await look(api)
    expect(value('millrace_http_requests_total', { operation: 'readStats', status: '2xx' })).toBe(1)
    expect(value('millrace_http_requests_total', { operation: 'readStats', status: '4xx' })).toBe(1)
    expect(value('millrace_http_requests_total', { operation: 'getJob', status: '4xx' })).toBe(1)
    expect(value('millrace_http_requests_total', { operation: 'none', status: '4xx' })).toBe(4)
    expect(value('millrace_http_request_duration_seconds_count', { operation: 'readStats' })).toBe(2)
    const known = new Set([...operations.map(each => each.id), 'none'])
    for (const { labels } of samples('millrace_http_requests_total'))
      expect(known).toContain(labels['operation'])
  })

  it('tell the process', async () => {
    await using api = await startTestServer({ access, worker: false })
    const { value } = await look(api)
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(0)
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
  })

  it('of two servers in one process are apart', async () => {
    await using one = await startTestServer({ access, worker: false })
    await using other = await startTestServer({ access, worker: false })
    await one.ask('/api/v1/stats')
    expect(
      (await look(other)).value('millrace_http_requests_total', { operation: 'readStats' }),
    ).toBeUndefined()
    expect((await look(one)).value('millrace_http_requests_total', { operation: 'readStats' })).toBe(1)
  })

  it('put queues beyond a hundred together', async () => {
    await using api = await startTestServer({ access, worker: false })
    for (let n = 0; n < 110; n++) await api.server.millrace.enqueue(echo, { text: 'x' }, { queue: `q${n}` })
    await api.server.millrace.enqueue(echo, { text: 'x' }, { queue: 'q7' })
    const { samples, value } = await look(api)
    const queues = new Set(samples('millrace_jobs').map(each => each.labels['queue']))
    expect(queues.size).toBe(101)
    expect(value('millrace_jobs', { queue: 'q7', state: 'ready' })).toBe(2)
    expect(value('millrace_jobs', { queue: 'other', state: 'ready' })).toBe(10)
    const sum = samples('millrace_jobs').reduce((total, each) => total + each.value, 0)
    expect(sum).toBe(111)
  })

  it('are told while the store is away, and say so', async () => {
    const millrace = createMillrace({ engine: openEngine('file::memory:') })
    await millrace.open()
    const app = createApi({ millrace, access })
    await millrace.close()
    const troubles: string[] = []
    millrace.on('trouble', ({ where }) => troubles.push(where))
    const response = await app.request('/metrics', { headers: { authorization: `Bearer ${token}` } })
    expect(response.status).toBe(200)
    const families = readMetrics(await response.text())
    expect(families.get('millrace_store_up')?.samples).toMatchObject([{ value: 0 }])
    expect(families.has('millrace_jobs')).toBe(false)
    expect(families.has('process_cpu_seconds_total')).toBe(true)
    expect(troubles).toEqual(['metrics'])
  })

  it.each([
    ['viewer', 200],
    ['operator', 200],
    ['viewer/acme', 403],
    ['user/acme', 403],
    ['cron', 403],
  ])('answer %s with %d', async (said, status) => {
    await using api = await startTestServer({ access, worker: false })
    expect((await api.ask('/metrics', { headers: who(said) })).status).toBe(status)
  })
})
