import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { usePostgres } from './postgres.ts'
import { asking } from './postgres-client.ts'
import { Random } from './random.ts'
import { useStage } from './stage.ts'
import { Troop } from './troop.ts'

const kills = Math.ceil(30 * Number(process.env['CRASH_SCALE'] ?? 1))
const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
/** The promise: work resumes so soon after the server's return, with no restart. */
const resumeMs = 10_000

/** The server goes away under processes that nobody restarts. */
describe('postgres that goes away under load', () => {
  const hall = usePostgres()
  const stage = useStage(hall.target)

  it(`killed ${kills} times (CRASH_SEED=${seed}) loses nothing, and work resumes each time`, {
    timeout: 600_000,
  }, async () => {
    const random = new Random(seed)
    const troop = new Troop(stage)
    await troop.start({ workers: 2, producers: 2 })
    const resumedAfter: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      await wait(random.between(0, 600))
      hall.server.kill()
      await hall.server.start()
      const back = Date.now()
      resumedAfter.push(await troop.resumed(`work resumes after kill ${kill + 1}`, back, resumeMs))
    }
    const evidence = await troop.account()
    resumedAfter.sort((a, b) => a - b)
    console.log(
      `postgres: ${kills} kills under ${evidence.jobs.size} jobs; ` +
        `work resumed after ${resumedAfter[kills >> 1]} ms (median), ${resumedAfter.at(-1)} ms (slowest)`,
    )
    expect(resumedAfter).toHaveLength(kills)
    expect(resumedAfter.at(-1)).toBeLessThanOrEqual(resumeMs)
    expect(troop.facts('ack').length).toBeGreaterThan(kills)
  })

  it('stopped for 10 s refuses with a typed error, and work resumes', { timeout: 120_000 }, async () => {
    const troop = new Troop(stage)
    await troop.start({ workers: 2, producers: 1 })
    await hall.server.stop('fast')
    const gone = Date.now()
    await Promise.all([wait(10_000), troop.refused(gone, 30_000)])
    await hall.server.start()
    const tookMs = await troop.resumed('work resumes after a stop', Date.now(), resumeMs)
    await troop.account()
    expect(tookMs).toBeLessThanOrEqual(resumeMs)
  })

  const ways = {
    // Sessions that there are hear of it at once, and of its end.
    'for everybody': {
      begin: [`ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`],
      end: [`ALTER SYSTEM RESET default_transaction_read_only`, `SELECT pg_reload_conf()`],
    },
    // As after a failover to a node that only reads: the sessions begun meanwhile stay that way.
    'for every new session': {
      begin: [
        `ALTER DATABASE $db SET default_transaction_read_only = on`,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$db' AND pid <> pg_backend_pid()`,
      ],
      end: [`ALTER DATABASE $db RESET default_transaction_read_only`],
    },
  }
  for (const [name, { begin, end }] of Object.entries(ways))
    it(`read-only for a while (${name}) refuses with a typed error, and work resumes`, {
      timeout: 120_000,
    }, async () => {
      const { server } = hall
      const db = new URL(stage.store.url).pathname.slice(1)
      const run = (statements: string[]): Promise<void> =>
        asking(server.url(), async admin => {
          for (const statement of statements) await admin.query(statement.replace('$db', db))
        })
      const troop = new Troop(stage)
      await troop.start({ workers: 2, producers: 1 })
      try {
        await run(begin)
        const since = Date.now()
        await eventually('enqueues are refused as read-only', 30_000, () =>
          troop.facts('refused').some(fact => fact.at > since && fact.code === 'read-only'),
        )
        // Longer than the leases.
        await wait(2_000)
      } finally {
        await run(end)
      }
      const tookMs = await troop.resumed('work resumes when it may write', Date.now(), resumeMs)
      await troop.account()
      expect(tookMs).toBeLessThanOrEqual(resumeMs)
    })
})
