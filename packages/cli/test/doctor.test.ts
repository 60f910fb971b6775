import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PostgresServer, startPostgres } from '../../queue/test/support/postgres-server.ts'
import { Workplace } from './millrace-process.ts'

let place: Workplace
beforeAll(async () => {
  place = await Workplace.make()
})
afterAll(() => place[Symbol.asyncDispose]())

interface Examined {
  store: string
  findings: { check: string; status: string; says: string; advice: string | null }[]
}

describe('doctor on a file', () => {
  it('says that it is not there yet, and does not make it', async () => {
    for (let round = 0; round < 2; round++) {
      const { code, stdout } = await place.run(['doctor', '--url', 'file:new.db'])
      expect(code).toBe(0)
      expect(stdout).toMatch(/^warn {2}store {2}there is no \/.*new\.db yet$/m)
      expect(stdout).toMatch(/^ +→ it is made at first use/m)
    }
  })

  it('says where it is, its versions and what is durable', async () => {
    await place.run(['migrate'])
    const { code, stdout } = await place.run(['doctor', '--json'])
    expect(code).toBe(0)
    const { store, findings } = JSON.parse(stdout) as Examined
    expect(store).toBe('file:.millrace/millrace.db')
    expect(findings.map(each => [each.check, each.status])).toEqual([
      ['store', 'ok'],
      ['versions', 'ok'],
      ['durability', 'ok'],
      ['health', 'ok'],
    ])
    expect(findings[1]?.says).toMatch(/^SQLite 3\.\d+\.\d+, schema \d+, millrace \d/)
  })

  it('ends with 1 when it can not be used', async () => {
    const { code, stdout } = await place.run(['doctor', '--url', 'file:/dev/null'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^bad {3}health /m)
  })
})

describe('doctor on Postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ durable: true })
    return () => server.stop('immediate')
  })

  it('prints what it finds with advice, and ends with 1 when something is bad', async () => {
    const { code, stdout } = await place.run(['doctor', '--url', server.url()])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ok {4}connection +direct, wake-ups by LISTEN/m)
    expect(stdout).toMatch(/^bad {3}migrations +schema millrace has no tables\n +→ run `millrace migrate`/m)
  })

  it('ends with 0 when nothing is', async () => {
    await place.run(['migrate', '--url', server.url()])
    const { code, stdout } = await place.run(['doctor', '--json', '--url', server.url()])
    const { findings } = JSON.parse(stdout) as Examined
    expect(findings.filter(each => each.status === 'bad')).toEqual([])
    expect(code).toBe(0)
  })

  it('shows no password', async () => {
    const { code, stdout } = await place.run(['doctor', '--url', 'postgres://me:secret@127.0.0.1:1/db'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^bad {3}connection {2}the database can not be reached/m)
    expect(stdout).not.toContain('secret')
  })
})
