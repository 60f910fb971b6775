import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { SqliteDialect } from 'kysely'

/** Kysely's SQLite dialect over a connection of `node:sqlite`. */
export function sqliteDialect(db: DatabaseSync): SqliteDialect {
  const statements = new Map<string, ReturnType<typeof statement>>()
  return new SqliteDialect({
    database: {
      close: () => db.close(),
      prepare(sql) {
        const known = statements.get(sql)
        if (known) return known
        const made = statement(db, sql)
        if (statements.size < statementsKept) statements.set(sql, made)
        return made
      },
    },
  })
}

const statementsKept = 500

/** Kysely says only `begin`: a transaction that begins by reading could then be refused when it comes to write. */
function statement(db: DatabaseSync, sql: string) {
  const prepared: StatementSync = db.prepare(sql === 'begin' ? 'begin immediate' : sql)
  const values = (parameters: ReadonlyArray<unknown>) => parameters as SQLInputValue[]
  return {
    reader: /^\s*(?:select|with|pragma)\b|\breturning\b/i.test(sql),
    all: (parameters: ReadonlyArray<unknown>) => prepared.all(...values(parameters)),
    run: (parameters: ReadonlyArray<unknown>) => prepared.run(...values(parameters)),
    iterate: (parameters: ReadonlyArray<unknown>) => prepared.iterate(...values(parameters)),
  }
}
