import type { PostgresBench } from '../engines/postgres.ts'
import { head, profileFunctions, type Statement, statementTimes } from './functions.ts'

/**
 * Runs process-100k twice in a process of its own: under the CPU profiler, and with the server's own clock on every
 * statement, those within functions included; the times of a function hold those of its statements.
 */
export async function profilePostgres(bench: PostgresBench): Promise<string> {
  const count = bench.pick(100_000, 300_000)
  const functions = await profileFunctions(bench, count)
  const statements = await bench.withStore('ours', count, async store => {
    await bench.query(store.url, 'CREATE EXTENSION pg_stat_statements')
    await bench.query(store.url, 'SELECT pg_stat_statements_reset()')
    const { rate } = await bench.run('ours', 'work', { ...store, count })
    const found = await bench.query<Statement & Record<string, unknown>>(
      store.url,
      `SELECT CASE WHEN toplevel THEN '' ELSE '· ' END || query AS sql, calls::float8 AS calls, total_exec_time AS ms
       FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()`,
    )
    return `${head(rate, count)}\n\n${statementTimes(found, count)}`
  })
  return `Functions: ${functions}\n\nStatements: ${statements}`
}
