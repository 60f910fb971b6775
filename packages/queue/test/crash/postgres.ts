import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { type PostgresOptions, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { asking } from './postgres-client.ts'
import { complaints } from './postgres-complaints.ts'
import type { CrashStore, CrashTarget, Span } from './target.ts'

/** Frozen in the middle of a transaction is who has been so for longer than it takes to send the next statement. */
const standstillMs = 250

/** A server for all tests of the file, and a target that makes each test a database on it. */
export interface PostgresHall {
  server: PostgresServer
  target: CrashTarget
}

/** Durable unless said otherwise: what was acknowledged is on the disk. */
export function usePostgres(options: PostgresOptions = {}): PostgresHall {
  const hall: Partial<PostgresHall> = {}
  let count = 0
  hall.target = {
    engine: 'postgres',
    effectsModule: new URL('./postgres-effects.ts', import.meta.url).href,
    createStore: async () => createDatabase(hall.server as PostgresServer, `crash_${++count}`),
  }
  beforeAll(async () => {
    hall.server = await startPostgres({ durable: true, ...options })
  })
  afterAll(async () => hall.server?.stop('immediate'))
  return hall as PostgresHall
}

async function createDatabase(server: PostgresServer, name: string): Promise<CrashStore> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'))
  chmodSync(folder, 0o755)
  await server.createDatabase(name)
  const url = server.url(name)
  return {
    url,
    folder,
    // A frozen transaction holds rows, and nobody needs all rows.
    isBlocked: async () => false,
    hasOpenTransaction: async () => asking(url, hasOpenTransaction),
    watchCommits: async () => watchCommits(url),
    complaints: async () => asking(url, complaints),
    remove: async () => {
      await asking(server.url(), admin => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Commits that take less are as they should be. */
const slowCommitMs = 100
const betweenCommitsMs = 50

async function watchCommits(url: string): Promise<{ stop(): Promise<Span[]> }> {
  const slow: Span[] = []
  let stopped = false
  const watching = asking(url, async client => {
    await client.query('CREATE TABLE crash_commits (at float8)')
    while (!stopped) {
      const from = Date.now()
      await client.query('INSERT INTO crash_commits VALUES ($1)', [from])
      const at = Date.now()
      if (at - from >= slowCommitMs) slow.push({ from, at })
      await wait(betweenCommitsMs)
    }
  })
  // Told to whoever stops it, if anybody gets there.
  watching.catch(() => {})
  return {
    stop: async () => {
      stopped = true
      await watching
      return slow
    },
  }
}

async function hasOpenTransaction(client: pg.Client): Promise<boolean> {
  for (;;) {
    const { rows } = await client.query<{ since: number }>(`
      SELECT extract(epoch FROM clock_timestamp() - state_change)::float8 * 1000 AS since
      FROM pg_stat_activity
      WHERE datname = current_database() AND state LIKE 'idle in transaction%'
      ORDER BY since DESC LIMIT 1`)
    const [longest] = rows
    if (!longest) return false
    if (longest.since > standstillMs) return true
    await wait(standstillMs - longest.since)
  }
}
