import { type RawBuilder, sql } from 'kysely'

/**
 * Many rows in one statement whose text stays the same: `from ${each(rows)}` gives one `value` a row, whose fields
 * are read as `value ->> 0` and cast where they are no text.
 */
export function each(rows: readonly (readonly unknown[])[]): RawBuilder<unknown> {
  return sql`json_each(${JSON.stringify(rows)})`
}
