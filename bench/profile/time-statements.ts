import { writeFileSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'

/**
 * Preloaded into a process (`--import`), times every SQL statement and writes the sums as JSON to the file named by
 * `BENCH_STATEMENTS` when the process ends. The CPU profiler sees only that SQLite is busy, not with what.
 */
const sums = new Map<string, { calls: number; ms: number }>()

function timed<Args extends unknown[], T>(
  sql: string,
  call: (...args: Args) => T,
  self: unknown,
  args: Args,
): T {
  const startedAt = performance.now()
  try {
    return call.apply(self, args)
  } finally {
    const sum = sums.get(sql) ?? { calls: 0, ms: 0 }
    sum.calls++
    sum.ms += performance.now() - startedAt
    sums.set(sql, sum)
  }
}

for (const name of ['run', 'get', 'all'] as const) {
  const method = StatementSync.prototype[name] as (...args: unknown[]) => unknown
  Object.defineProperty(StatementSync.prototype, name, {
    value(this: StatementSync, ...args: unknown[]) {
      return timed(this.sourceSQL, method, this, args)
    },
  })
}
const exec = DatabaseSync.prototype.exec
Object.defineProperty(DatabaseSync.prototype, 'exec', {
  value(this: DatabaseSync, sql: string) {
    return timed(sql, exec, this, [sql])
  },
})

process.on('exit', () => {
  const file = process.env['BENCH_STATEMENTS']
  if (file) writeFileSync(file, JSON.stringify([...sums].map(([sql, sum]) => ({ sql, ...sum }))))
})
