import { randomFillSync } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { DatabaseSync } from 'node:sqlite'
import type { Sides } from '../harness.ts'
import { cpuMeter } from '../sides/cpu.ts'

/**
 * The peer that nobody can beat with SQLite: the least that a durable queue must do, in the fewest statements. Jobs are
 * claimed by the thousand with the priority order kept, settled by a move into a history table, each batch one
 * transaction with an fsync. No leases, attempts, counters, schedules, types or other processes.
 */
const batchSize = 1_000

function open(url: string): DatabaseSync {
  const database = new DatabaseSync(fileURLToPath(url))
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -16000;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE IF NOT EXISTS live (
      n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, type TEXT NOT NULL, state INTEGER NOT NULL,
      priority INTEGER NOT NULL, created_at INTEGER NOT NULL, payload TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ready ON live (priority, n) WHERE state = 0;
    CREATE TABLE IF NOT EXISTS history (
      seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, type TEXT NOT NULL, state INTEGER NOT NULL,
      priority INTEGER NOT NULL, created_at INTEGER NOT NULL, finished_at INTEGER NOT NULL,
      payload TEXT NOT NULL, result TEXT
    ) STRICT;
  `)
  return database
}

/** Stores `count` jobs, `size` of them in a transaction; answers jobs a second. */
function rawEnqueue(url: string, count: number, size: number): number {
  const database = open(url)
  const insert = database.prepare(
    'INSERT INTO live (id, type, state, priority, created_at, payload) VALUES (?, ?, 0, 5, ?, ?)',
  )
  const id = rawIds()
  const startedAt = performance.now()
  for (let n = 0; n < count; n += size) {
    database.exec('BEGIN IMMEDIATE')
    for (let index = n; index < Math.min(count, n + size); index++)
      insert.run(id(), 'BENCH_NOOP', Date.now(), JSON.stringify({ n: index }))
    database.exec('COMMIT')
  }
  const seconds = (performance.now() - startedAt) / 1_000
  database.close()
  return count / seconds
}

/** UUIDv7s, from a pool of random bytes: order by time, as ours. */
function rawIds(): () => Uint8Array {
  const random = new Uint8Array(4_096)
  let used = random.length
  let count = 0
  return () => {
    if (used + 8 > random.length) {
      randomFillSync(random)
      used = 0
    }
    const bytes = Buffer.alloc(16)
    bytes.writeUIntBE(Date.now(), 0, 6)
    bytes.writeUInt16BE(0x7000 | (count++ & 0xfff), 6)
    bytes.set(random.subarray(used, (used += 8)), 8)
    return bytes
  }
}

/** Claims, runs and settles `count` jobs of the backlog; answers jobs a second. */
function rawProcess(url: string, count: number): number {
  const database = open(url)
  const claim = database.prepare(
    `UPDATE live SET state = 1 WHERE n IN (SELECT n FROM live WHERE state = 0 ORDER BY priority, n LIMIT ${batchSize})
     RETURNING n, payload`,
  )
  claim.setReturnArrays(true)
  const move = database.prepare(
    `INSERT INTO history (id, type, state, priority, created_at, finished_at, payload, result)
     SELECT l.id, l.type, 2, l.priority, l.created_at, ?2, l.payload, NULL
     FROM json_each(?1) j CROSS JOIN live l ON l.n = j.value`,
  )
  const remove = database.prepare('DELETE FROM live WHERE n IN (SELECT value FROM json_each(?1))')
  const startedAt = performance.now()
  let done = 0
  let ran: number[] = []
  // What the last batch did is settled in the transaction that claims the next one: one fsync a batch.
  while (done < count || ran.length > 0) {
    database.exec('BEGIN IMMEDIATE')
    if (ran.length > 0) {
      const numbers = JSON.stringify(ran)
      move.run(numbers, Date.now())
      remove.run(numbers)
    }
    const rows = (done < count ? claim.all() : []) as unknown as [n: number, payload: string][]
    database.exec('COMMIT')
    ran = rows.map(([n, payload]) => {
      if ((JSON.parse(payload) as { n: number }).n < 0) throw new Error('not what was enqueued')
      return n
    })
    done += rows.length
  }
  const seconds = (performance.now() - startedAt) / 1_000
  database.close()
  return count / seconds
}

export const sides: Sides = {
  fill: async ({ url, count }) => ({ rate: rawEnqueue(url, count, batchSize) }),
  bulk: async ({ url, count }) => ({ rate: rawEnqueue(url, count, batchSize) }),
  awaits: async ({ url, count }) => ({ rate: rawEnqueue(url, count, 100) }),
  work: async ({ url, count }) => {
    const cpu = cpuMeter(0)
    const rate = rawProcess(url, count)
    const peakRssMb = process.resourceUsage().maxRSS / 1_024
    return { rate, cpuMicros: cpu().nodeMicros / count, serverMicros: 0, peakRssMb }
  },
}
