import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { CutProxy } from './cut-proxy.ts'
import { eventually } from './eventually.ts'

/** The proxy that the crash suite's verdicts rest on, against plain `pg`. */
describe('the cutting proxy', () => {
  let server: PostgresServer
  let proxy: CutProxy
  let direct: pg.Client
  const opened: pg.Client[] = []
  beforeAll(async () => {
    server = await startPostgres()
    direct = await open(server.url())
    await direct.query('CREATE TABLE mark (n int)')
  })
  afterAll(async () => {
    await direct?.end()
    await server?.stop()
  })
  beforeEach(async () => {
    proxy = await CutProxy.start(server.port)
    await direct.query('TRUNCATE mark')
  })
  afterEach(async () => {
    for (const client of opened.splice(0)) client.end().catch(() => {})
    await proxy.close()
  })

  async function open(url: string, options: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, ...options })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  async function through(options: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = await open(proxy.url(server.url()), options)
    opened.push(client)
    return client
  }
  async function marks(): Promise<number[]> {
    const { rows } = await direct.query<{ n: number }>('SELECT n FROM mark ORDER BY n')
    return rows.map(row => row.n)
  }
  const insert = (client: pg.Client, n: number): Promise<unknown> =>
    client.query('INSERT INTO mark VALUES ($1)', [n])
  const insertPrepared = (client: pg.Client, n: number): Promise<unknown> =>
    client.query({ name: 'mark', text: 'INSERT INTO mark VALUES ($1)', values: [n] })

  it('passes what it is not told to cut', async () => {
    const client = await through()
    await insert(client, 1)
    const long = 'x'.repeat(300_000)
    const { rows } = await client.query<{ t: string }>('SELECT $1::text AS t', [long])
    expect(rows[0]?.t).toBe(long)
    await expect(client.query('SELECT nothing FROM nowhere')).rejects.toMatchObject({ code: '42P01' })
    await client.query('INSERT INTO mark SELECT generate_series(2, 2000)')
    const all = await client.query<{ n: number }>('SELECT n FROM mark ORDER BY n')
    expect(all.rows.map(row => row.n)).toEqual(Array.from({ length: 2_000 }, (_, index) => index + 1))
    expect(proxy.cuts).toEqual([])
  })

  for (const way of ['unprepared', 'prepared', 'pipelined', 'as text'] as const)
    it(`lets a statement (${way}) happen and drops its reply`, async () => {
      const client = await through(way === 'pipelined' ? { pipeline: true } : {})
      const add = (n: number): Promise<unknown> => {
        if (way === 'as text') return client.query(`INSERT INTO mark VALUES (${n})`)
        return way === 'prepared' ? insertPrepared(client, n) : insert(client, n)
      }
      await add(1)
      let asked = 0
      proxy.decide = () => (++asked === 2 ? 'drop-reply' : 'pass')
      // Only a pipeline takes more than the one after the next.
      const first = add(2)
      if (way !== 'pipelined') await first
      const answers = await Promise.allSettled([first, add(3), add(4)])
      expect(answers.map(answer => answer.status)).toEqual(['fulfilled', 'rejected', 'rejected'])
      const kept = await eventually('the statement is there', 5_000, async () => {
        const found = await marks()
        return found.length >= 3 && found
      })
      // What was already on its way behind it may have happened too.
      expect(kept.slice(0, 3)).toEqual([1, 2, 3])
      expect(proxy.cuts).toMatchObject([{ tags: ['INSERT 0 1'], committed: true }])
      expect(proxy.cuts[0]?.sql[0]).toContain('INSERT INTO mark')
      expect(proxy.connections).toBe(0)
    })

  it('drops the reply to a COMMIT that has happened', async () => {
    const client = await through()
    proxy.decide = ({ sql }) => (sql.includes('COMMIT') ? 'drop-reply' : 'pass')
    await client.query('BEGIN')
    await insert(client, 1)
    await expect(client.query('COMMIT')).rejects.toThrow()
    expect(await marks()).toEqual([1])
    expect(proxy.cuts).toEqual([{ sql: ['COMMIT'], tags: ['COMMIT'], committed: true }])
  })

  it('tells a cut inside a transaction from one after it', async () => {
    const client = await through()
    proxy.decide = ({ sql }) => (sql[0]?.startsWith('INSERT') ? 'drop-reply' : 'pass')
    await client.query('BEGIN')
    await expect(insert(client, 1)).rejects.toThrow()
    expect(proxy.cuts).toMatchObject([{ committed: false }])
    expect(await marks()).toEqual([])
  })

  it('counts a reply that was an error apart', async () => {
    const client = await through()
    proxy.decide = () => 'drop-reply'
    await expect(client.query('SELECT nothing FROM nowhere')).rejects.toThrow(/Connection|ECONNRESET/)
    expect(proxy.cuts).toEqual([])
    expect(proxy.failedCuts).toBe(1)
  })

  it('drops a request before the server hears of it', async () => {
    const client = await through()
    proxy.decide = () => 'drop-request'
    await expect(insert(client, 1)).rejects.toThrow()
    expect(await marks()).toEqual([])
    expect(proxy.cuts).toEqual([])
  })

  it('loses notifications, and nothing else, while it is told to', async () => {
    const client = await through()
    const heard: (string | undefined)[] = []
    client.on('notification', message => heard.push(message.payload))
    await client.query('LISTEN mark')
    proxy.losesNotifications = true
    await direct.query(`NOTIFY mark, 'lost'`)
    await eventually('it is lost', 5_000, () => proxy.lostNotifications === 1)
    await insert(client, 1)
    proxy.losesNotifications = false
    await direct.query(`NOTIFY mark, 'heard'`)
    await eventually('the next is heard', 5_000, () => heard.length > 0)
    expect(heard).toEqual(['heard'])
  })

  it('falls silent without closing, and lets new connections through', async () => {
    const client = await through()
    const told: string[] = []
    client.on('end', () => told.push('end'))
    expect(proxy.blackHole()).toBe(1)
    void insert(client, 1).then(
      () => told.push('answered'),
      () => told.push('failed'),
    )
    await insert(await through(), 2)
    await insert(await through(), 3)
    expect(await marks()).toEqual([2, 3])
    expect(told).toEqual([])
    const { rows } = await direct.query(
      `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    )
    expect(rows).toHaveLength(3)
  })
})
