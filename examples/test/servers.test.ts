import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { cronSecret, examples, plainEnvironment, startServer } from './server-process.ts'

const root = join(examples, '..')
const run = (cwd: string, command: string, args: string[]): void =>
  void execFileSync(command, args, { cwd, env: plainEnvironment(), stdio: 'pipe', encoding: 'utf8' })

describe('the examples', () => {
  it('compile', () => {
    run(examples, join(root, 'node_modules/.bin/tsc'), ['-p', '.'])
  })
})

/** Where each has the API. */
const servers: [name: string, api: string, command: string[]][] = [
  ['hono', '', ['node', 'server.ts']],
  ['express', '', ['node', 'server.ts']],
  ['fastify', '', ['node', 'server.ts']],
  ['node-http', '', ['node', 'server.ts']],
  ['nest', '/queue', ['node', 'dist/main.js']],
]

describe.each(servers)('the example %s', (name, api, command) => {
  beforeAll(() => {
    if (name === 'nest')
      run(join(examples, 'nest'), process.execPath, ['../node_modules/typescript/bin/tsc', '-p', '.'])
  })

  it('enqueues by its own route and by the API, works, and refuses a bad token', async () => {
    await using server = await startServer({ cwd: join(examples, name), command })
    const own = await server.post('/greetings', { name: 'Ada' })
    expect(own.status).toBe(202)
    expect((await server.ask(`/greetings/${own.body.id}`)).body).toEqual({ result: 'Hello, Ada' })
    const job = { type: 'GREET', payload: { name: 'Bob' } }
    const byApi = await server.post(`${api}/api/v1/jobs`, job)
    expect(byApi.status).toBe(201)
    expect((await server.ask(`/greetings/${byApi.body.id}`)).body).toEqual({ result: 'Hello, Bob' })
    const refused = await server.post(`${api}/api/v1/jobs`, job, { authorization: 'Bearer wrong' })
    expect([refused.status, refused.body.code]).toEqual([401, 'unauthorized'])
    expect((await server.ask(`${api}/api/v1/jobs?limit=zero`)).status).toBe(400)
  })
})

describe('the example fetch', () => {
  it('enqueues, works in a drain that its cron asks for, and refuses a bad secret', async () => {
    await using server = await startServer({ cwd: join(examples, 'fetch'), command: ['node', 'serve.ts'] })
    const { status, body } = await server.post('/greetings', { name: 'Ada' })
    expect(status).toBe(202)
    const refused = await server.ask('/api/cron/drain', { headers: { authorization: 'Bearer wrong' } })
    expect([refused.status, refused.body.code]).toEqual([401, 'unauthorized'])
    const drained = await server.ask('/api/cron/drain', {
      headers: { 'x-api-key': cronSecret, authorization: '' },
    })
    expect([drained.status, drained.body.processed]).toEqual([200, 1])
    expect((await server.ask(`/api/v1/jobs/${body.id}`)).body).toMatchObject({
      state: 'completed',
      result: 'Hello, Ada',
    })
  })
})
