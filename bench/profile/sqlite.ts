import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqliteBench } from '../engines/sqlite.ts'
import { head, profileFunctions, type Statement, statementTimes } from './functions.ts'

/**
 * Runs process-100k twice in a process of its own: under the CPU profiler, and with a clock on every SQL statement, which
 * the profiler does not tell apart.
 */
export async function profileSqlite(bench: SqliteBench): Promise<string> {
  const count = bench.pick(100_000, 300_000)
  const functions = await profileFunctions(bench, count)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-profile-'))
  const file = join(folder, 'statements.json')
  try {
    process.env['BENCH_STATEMENTS'] = file
    const clock = new URL('./time-statements.ts', import.meta.url).href
    const { rate } = await bench.withStore('ours', count, store =>
      bench.run('ours', 'work', { ...store, count }, [`--import=${clock}`]),
    )
    const statements = JSON.parse(readFileSync(file, 'utf8')) as Statement[]
    return `Functions: ${functions}\n\nStatements: ${head(rate, count)}\n\n${statementTimes(statements, count)}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
