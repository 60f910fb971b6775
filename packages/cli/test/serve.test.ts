import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeStore, storeKinds } from '../../api/test/stores.ts'
import { config, type RunningCommand, Workplace } from './millrace-process.ts'

const withConfig = ['--config', config]

async function enqueue(place: Workplace, type: string, payload: object): Promise<string> {
  return (await place.json(['enqueue', type, JSON.stringify(payload), ...withConfig])).id
}

async function startServer(place: Workplace): Promise<{ server: RunningCommand; url: string }> {
  const server = place.start(['start', '--json', ...withConfig])
  return { server, url: (await server.event('listening')).url }
}

describe('start', () => {
  it('says calmly where it listens, where the data lies, the token, and what to type next', async () => {
    await using place = await Workplace.make()
    const server = place.start(['start', ...withConfig])
    await server.line('Ctrl-C')
    server.child.kill('SIGINT')
    const { code, stdout, stderr } = await server.ended
    const token = (await readFile(join(place.folder, '.millrace/admin-token'), 'utf8')).trim()
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/listens {2}http:\/\/127\.0\.0\.1:\d+\n/)
    expect(stdout).toContain('data     file:.millrace/millrace.db\n')
    expect(stdout).toContain(`token    ${token}  (kept in .millrace/admin-token)\n`)
    expect(stdout).toContain('millrace enqueue COUNT \'{"to":30}\' --wait\n')
    expect(stdout).toContain('curl -H "Authorization: Bearer $(cat .millrace/admin-token)" http://127.0.0.1:')
    expect(stdout.trimEnd()).toMatch(/Stopping\.\nStopped\.$/)
    expect(stdout.trimEnd().split('\n').length).toBeLessThan(24)
  })

  it('keeps its token for the next start, where nobody else can read it', async () => {
    await using place = await Workplace.make()
    const { server, url } = await startServer(place)
    const file = join(place.folder, '.millrace/admin-token')
    const authorization = `Bearer ${(await readFile(file, 'utf8')).trim()}`
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await fetch(`${url}/api/v1/stats`, { headers: { authorization } })).status).toBe(200)
    server.child.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)
    const again = await startServer(place)
    expect((await fetch(`${again.url}/api/v1/stats`, { headers: { authorization } })).status).toBe(200)
  })

  it('takes the secrets that the environment gives, several for rotation, and logs no request with them', async () => {
    await using place = await Workplace.make()
    const server = place.start(['start', '--json', '--access-log', ...withConfig], {
      ADMIN_TOKEN: 'the-new-token,the-old-token',
      VIEWER_TOKEN: 'a-viewers-token',
    })
    const { url } = await server.event('listening')
    const status = async (token: string, method = 'GET'): Promise<number> =>
      (await fetch(`${url}/api/v1/jobs?limit=7`, { method, headers: { authorization: `Bearer ${token}` } }))
        .status
    expect(
      await Promise.all(['the-new-token', 'the-old-token', 'a-viewers-token', 'another'].map(t => status(t))),
    ).toEqual([200, 200, 200, 401])
    expect(await status('a-viewers-token', 'POST')).toBe(403)
    server.child.kill('SIGTERM')
    const { stderr } = await server.ended
    const entries = stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(entries.map(({ principal }) => String(principal)).sort()).toEqual([
      'admin#1',
      'admin#2',
      'null',
      'viewer#1',
      'viewer#1',
    ])
    expect(entries.find(each => each.principal === 'admin#1')).toMatchObject({
      method: 'GET',
      path: '/api/v1/jobs',
      status: 200,
      address: '127.0.0.1',
    })
    expect(stderr).not.toMatch(/token|limit=7/)
  })

  it('does not print a token that ADMIN_TOKEN gives', async () => {
    await using place = await Workplace.make()
    const server = place.start(['start', ...withConfig], { ADMIN_TOKEN: 'a-secret-of-the-operator' })
    const listens = await server.line('http://')
    await server.line('Ctrl-C')
    const headers = { authorization: 'Bearer a-secret-of-the-operator' }
    const url = listens.slice(listens.indexOf('http://')).trim()
    expect((await fetch(`${url}/api/v1/jobs`, { headers })).status).toBe(200)
    server.child.kill('SIGINT')
    expect((await server.ended).stdout).not.toContain('a-secret')
  })

  it.each([
    ['--drain-budget', ['--drain-budget', '10m'], {}],
    ['MILLRACE_DRAIN_BUDGET', [], { MILLRACE_DRAIN_BUDGET: '10m' }],
  ])('lets a cron drain with %s', async (_, flags, env) => {
    await using place = await Workplace.make()
    const server = place.start(['start', '--json', ...flags, ...withConfig], {
      ...env,
      ADMIN_TOKEN: 'a-token',
      CRON_SECRET: 'the-secret-of-the-cron',
    })
    const { url } = await server.event('listening')
    const headers = { authorization: 'Bearer the-secret-of-the-cron' }
    const drained = async (path: string): Promise<unknown[]> => {
      const response = await fetch(`${url}${path}`, { method: 'POST', headers })
      return [response.status, await response.json()]
    }
    const report = expect.objectContaining({ endedBy: 'empty' })
    expect(await drained('/api/v1/drain')).toEqual([200, report])
    expect(await drained('/api/cron/drain?budgetMs=50000')).toEqual([200, report])
    expect((await drained('/api/v1/drain?budgetMs=600001'))[0]).toBe(400)
  })

  it('lets nobody drain without a budget for it', async () => {
    await using place = await Workplace.make()
    const server = place.start(['start', '--json', ...withConfig], { CRON_SECRET: 'the-secret-of-the-cron' })
    const { url } = await server.event('listening')
    const headers = { authorization: 'Bearer the-secret-of-the-cron' }
    const response = await fetch(`${url}/api/v1/drain`, { method: 'POST', headers })
    expect([response.status, (await response.json()) as object]).toEqual([
      422,
      expect.objectContaining({ code: 'unsupported' }),
    ])
  })

  it('lets running jobs finish after Ctrl-C, and says for how many it waits', async () => {
    await using place = await Workplace.make()
    const { server } = await startServer(place)
    const id = await enqueue(place, 'COUNT', { to: 20, everyMs: 25 })
    await server.event('started')
    // npm passes on the signal that the terminal has given to the whole group.
    server.child.kill('SIGINT')
    server.child.kill('SIGINT')
    expect(await server.event('stopping')).toMatchObject({ running: 1 })
    expect((await server.ended).code).toBe(0)
    expect(await place.json(['jobs', 'show', id])).toMatchObject({
      state: 'completed',
      result: { counted: 20 },
    })
  })

  it('stops at once after a second Ctrl-C', async () => {
    await using place = await Workplace.make()
    const { server } = await startServer(place)
    await enqueue(place, 'IGNORE', {})
    await server.event('started')
    server.child.kill('SIGINT')
    await server.event('stopping')
    const again = setInterval(() => server.child.kill('SIGINT'), 50)
    const { code, stdout } = await server.ended
    clearInterval(again)
    expect(code).toBe(130)
    expect(stdout).not.toContain('"event":"stopped"')
  })
})

describe.each(storeKinds)('worker on %s', kind => {
  it('works without a server, and stops like one', async () => {
    await using store = await makeStore(kind)
    await using place = await Workplace.make({ MILLRACE_URL: store.url })
    const worker = place.start(['worker', '--json', '--label', 'bench 1', ...withConfig])
    await worker.event('working')
    await enqueue(place, 'COUNT', { to: 1 })
    expect(await worker.event('completed')).toMatchObject({ type: 'COUNT', attempt: 1 })
    worker.child.kill('SIGTERM')
    expect((await worker.ended).code).toBe(0)
  })

  it('works beside a server and another worker, each job at one of them', async () => {
    await using store = await makeStore(kind)
    await using place = await Workplace.make({ MILLRACE_URL: store.url })
    const { server } = await startServer(place)
    const args = ['worker', '--json', '--concurrency', '1', ...withConfig]
    const all = [server, place.start(args), place.start(args)]
    await Promise.all(all.slice(1).map(each => each.event('working')))
    const ids = await Promise.all([1, 2, 3, 4].map(() => enqueue(place, 'COUNT', { to: 5 })))
    await expect
      .poll(async () => (await place.json(['stats'])).total.completed, { timeout: 30_000, interval: 500 })
      .toBe(ids.length)
    for (const { child } of all) child.kill('SIGTERM')
    const told = (await Promise.all(all.map(each => each.ended))).map(({ stdout }) => stdout).join('')
    for (const id of ids)
      expect(
        told.split('\n').filter(line => line.includes('"event":"completed"') && line.includes(id)),
      ).toHaveLength(1)
  })
})

describe('drain', () => {
  it('lets running jobs finish after Ctrl-C, and starts no other', async () => {
    await using place = await Workplace.make()
    const first = await enqueue(place, 'COUNT', { to: 20, everyMs: 25 })
    const second = await enqueue(place, 'COUNT', { to: 1 })
    const drain = place.start(['drain', '--concurrency', '1', ...withConfig])
    await drain.line('started')
    drain.child.kill('SIGINT')
    const { code, stdout } = await drain.ended
    expect(code).toBe(130)
    expect(stdout).toMatch(/\nStopped\. What is left stays queued\.\n$/)
    expect((await place.json(['jobs', 'show', first])).state).toBe('completed')
    expect(await place.json(['jobs', 'show', second])).toMatchObject({ state: 'queued', attempt: 0 })
  })
})

describe('enqueue --wait', () => {
  it('shows progress line by line and prints the result', async () => {
    await using place = await Workplace.make()
    await startServer(place)
    const { code, stdout } = await place.run([
      'enqueue',
      'COUNT',
      '{"to":5,"everyMs":200}',
      '--wait',
      ...withConfig,
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Enqueued: COUNT [0-9a-f-]{36}\n/)
    expect(stdout).toMatch(/\n\d+ % counted to \d\n/)
    expect(stdout).toMatch(/\n100 % completed\n\{\n {2}"counted": 5\n\}\n$/)
  })

  it('ends with 1 when the job dies, and says why', async () => {
    await using place = await Workplace.make()
    await startServer(place)
    const { code, stderr } = await place.run([
      'enqueue',
      'FAIL',
      '{"message":"no luck"}',
      '--wait',
      ...withConfig,
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^millrace: job [0-9a-f-]{36} is dead: no luck\n/)
  })

  it('speaks one JSON value a line with --json', async () => {
    await using place = await Workplace.make()
    await startServer(place)
    const args = ['enqueue', 'COUNT', '{"to":2}', '--wait', '--json', ...withConfig]
    const events = (await place.run(args)).stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(events[0]).toMatchObject({ event: 'enqueued', duplicate: false })
    expect(events.at(-1)).toMatchObject({ event: 'completed', state: 'completed', result: { counted: 2 } })
    expect(events.slice(1, -1).every(event => event.event === 'progress')).toBe(true)
  })

  it('says that no worker runs, and leaves the job alone after Ctrl-C', async () => {
    await using place = await Workplace.make()
    const waiting = place.start(['enqueue', 'COUNT', '{"to":1}', '--wait', ...withConfig])
    await waiting.line('no worker is running on this store')
    waiting.child.kill('SIGINT')
    const { code, stdout } = await waiting.ended
    expect(code).toBe(130)
    expect(stdout).toMatch(
      /The job goes on without this terminal\. See it with: .* jobs show [0-9a-f-]{36}\n$/,
    )
    expect((await place.json(['jobs'])).jobs).toMatchObject([{ state: 'queued' }])
  })
})

describe('demo', () => {
  it('shows one job from beginning to end, and where to look', async () => {
    await using place = await Workplace.make()
    const { code, stdout } = await place.run(['demo', ...withConfig])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Counts to five\.\n/)
    expect(stdout).toContain('COUNT_ALLOWED=1, for this process only')
    expect(stdout).toContain('Counted to 5.')
    expect(stdout).toMatch(/KIND +NUMBERS\n {2}odd +3\n {2}even +2\n/)
    expect(stdout).toMatch(/jobs show [0-9a-f-]{36}\n/)
    expect(stdout).toContain('/sample/numbers')
  })

  it('takes each of the tokens that ADMIN_TOKEN lists, and shows none', async () => {
    await using place = await Workplace.make()
    const demo = place.start(['demo', '--keep', ...withConfig], {
      ADMIN_TOKEN: 'the-new-token,the-old-token',
    })
    const url = (await demo.line('server   ')).trim().split(/ +/)[1]
    const status = async (token: string): Promise<number> =>
      (await fetch(`${url}/api/v1/jobs`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(
      await Promise.all(
        ['the-new-token', 'the-old-token', 'the-new-token,the-old-token'].map(each => status(each)),
      ),
    ).toEqual([200, 200, 401])
    expect(await demo.line('curl')).toContain('Bearer ${ADMIN_TOKEN%%,*}"')
    demo.child.kill('SIGINT')
    expect((await demo.ended).stdout).not.toMatch(/the-(new|old)-token/)
  })

  it('finds a port of its own beside a server, whose worker leaves the demo alone', async () => {
    await using place = await Workplace.make()
    const { server, url } = await startServer(place)
    const { code } = await place.run(['demo', ...withConfig], { env: { PORT: new URL(url).port } })
    expect(code).toBe(0)
    server.child.kill('SIGINT')
    expect((await server.ended).stdout).not.toContain('"event":"started"')
  })
})
