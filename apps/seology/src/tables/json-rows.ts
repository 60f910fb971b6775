import { type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely'
import type { Schema } from './schema.ts'

/**
 * Many rows in one statement whose text stays the same: `from ${each(trx, rows)} as row` gives one `value` a row, whose
 * fields are read as `value ->> 0` and cast where they are no text.
 */
export function each(db: Kysely<Schema>, rows: readonly (readonly unknown[])[]): RawBuilder<unknown> {
  const list = JSON.stringify(rows, (_, field: unknown) =>
    typeof field === 'string' ? storable(field) : field,
  )
  return isPostgres(db) ? sql`jsonb_array_elements(cast(${list} as jsonb))` : sql`json_each(${list})`
}

/** PostgreSQL can't hold NUL or half a surrogate pair; both engines store the same in their place. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

export function isPostgres(db: Kysely<Schema>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}
