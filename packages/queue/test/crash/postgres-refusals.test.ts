import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createMillrace, type Millrace, openEngine, QueueError } from '../../src/index.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { eventually } from './eventually.ts'
import { neighbour } from './jobs.ts'
import { asking } from './postgres-client.ts'

const password = 'correct-horse'
const wrong = 'wrong-battery'
const spec = { n: 1, busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }

/** A server that says no. Each time there is one sentence to read, which tells no password. */
describe('postgres that refuses', () => {
  let server: PostgresServer
  const opened: Millrace[] = []
  beforeAll(async () => {
    const rules = join(tmpdir(), `millrace-hba-${process.pid}.conf`)
    writeFileSync(rules, `host all clerk 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n`)
    server = await startPostgres({ settings: { hba_file: rules, max_connections: '14' } })
    await asking(server.url(), async admin => {
      await admin.query(`CREATE ROLE clerk LOGIN PASSWORD '${password}'`)
      await admin.query('CREATE DATABASE shop')
      await admin.query('CREATE DATABASE bare')
      await admin.query('REVOKE CREATE ON DATABASE shop FROM PUBLIC')
    })
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(each => each.close()))
  })
  afterAll(() => server?.stop('immediate'))

  function url(database: string, who: { user?: string; password?: string } = {}): string {
    const target = new URL(server.url(database))
    if (who.user !== undefined) target.username = who.user
    if (who.password !== undefined) target.password = who.password
    return target.href
  }
  function use(address: string): Millrace {
    const millrace = createMillrace({ engine: openEngine(address), jobs: [neighbour] })
    opened.push(millrace)
    return millrace
  }
  async function refusal(act: Promise<unknown>): Promise<QueueError> {
    const error: unknown = await act.then(
      () => expect.fail('nothing was refused'),
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(QueueError)
    const { message } = error as QueueError
    expect(message).not.toContain('\n')
    expect(message.length).toBeLessThan(400)
    const whole = inspect(error, { depth: 20, showHidden: true })
    for (const secret of [password, wrong]) expect(whole).not.toContain(secret)
    return error as QueueError
  }

  it('a wrong password', async () => {
    const error = await refusal(use(url('shop', { user: 'clerk', password: wrong })).open())
    expect(error.message).toMatch(/password|authenticat/i)
    expect(error.message).toContain('clerk')
  })

  it('no password at all', async () => {
    const error = await refusal(use(url('shop', { user: 'clerk' })).open())
    expect(error.message).toMatch(/password/i)
  })

  it('an unknown user', async () => {
    const error = await refusal(use(url('shop', { user: 'nobody-knows', password: wrong })).open())
    expect(error.message).toContain('nobody-knows')
  })

  it('a missing database', async () => {
    const error = await refusal(use(url('nowhere')).open())
    expect(error.message).toContain('nowhere')
  })

  it('a missing schema that it may not make by itself', async () => {
    const engine = openEngine(url('bare'))
    const error = await refusal(engine.open({ migrate: false }))
    await engine.close()
    expect(error.code).toBe('version-mismatch')
    expect(error.message).toContain('millrace migrate')
  })

  it('a user who may not make the schema', async () => {
    const error = await refusal(use(url('shop', { user: 'clerk', password })).open())
    expect(error.message).toMatch(/permission|right|may not|grant/i)
  })

  it('a user who may not write, and reads no more than he may', async () => {
    await use(url('bare')).open()
    const clerk = use(url('bare', { user: 'clerk', password }))
    const error = await refusal(clerk.enqueue(neighbour, spec))
    expect(error.message).toMatch(/permission|right|may not|grant/i)
  })

  it('a server that is not there', async () => {
    const port = await unusedPort()
    const error = await refusal(use(`postgres://clerk:${password}@127.0.0.1:${port}/shop`).open())
    expect(error.code).toBe('unavailable')
    expect(error.message).toContain(String(port))
  })

  it('a server that speaks something else', { timeout: 60_000 }, async () => {
    const other = createServer(socket => {
      socket.on('error', () => {})
      socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    const port = await new Promise<number>(resolve =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    )
    try {
      await refusal(use(`postgres://clerk:${password}@127.0.0.1:${port}/shop`).open())
    } finally {
      await new Promise(resolve => other.close(resolve))
    }
  })

  it('too many connections, until there is room again', { timeout: 60_000 }, async () => {
    await use(url('bare')).open()
    const late = use(url('bare', { user: 'clerk', password }))
    const crowd: pg.Client[] = []
    for (;;) {
      const client = new pg.Client({ connectionString: url('bare', { user: 'clerk', password }) })
      client.on('error', () => {})
      const joined = await client.connect().then(
        () => true,
        () => false,
      )
      if (!joined) break
      crowd.push(client)
    }
    const error = await refusal(late.open())
    await Promise.all(crowd.map(client => client.end()))
    expect(error.code).toBe('unavailable')
    expect(error.message).toMatch(/connections|clients/i)
    // What it may do when it gets in is another matter.
    await eventually('it gets in', 20_000, async () => {
      const answer = await late.open().then(
        () => 'opened',
        (reason: Error) => reason.message,
      )
      return !/connections|clients/i.test(answer)
    })
  })
})

function unusedPort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
