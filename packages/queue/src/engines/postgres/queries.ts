/**
 * What every operation runs its statements on: a pooled connection, an open transaction, or the caller's own. In the
 * text, `millrace.` stands for the store's schema, whatever its name; values are parameters only.
 */
export interface Queries {
  all<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Rows come as arrays, which are cheaper to make. */
  rows<Row extends unknown[]>(sql: string, values?: readonly unknown[]): Promise<Row[]>
}

export async function one<Row>(
  db: Queries,
  sql: string,
  values?: readonly unknown[],
): Promise<Row | undefined> {
  const [row] = await db.all<Row>(sql, values)
  return row
}

/** A list of numbers, uuids or other words without quotes, as an array parameter. */
export function array(items: readonly (string | number | null)[]): string {
  return `{${items.map(item => item ?? 'NULL').join()}}`
}

/** Never part of JSON text, which escapes it. */
const separator = '\x1e'

/** JSON texts as one parameter, split by `string_to_array(…, E'\x1e')`: cheaper than quoting each for an array. */
export function joined(texts: readonly string[]): string {
  return texts.join(separator)
}

/** Writes a statement for the schema it is to run in. */
export function schemaText(schema: string): (sql: string) => string {
  const quoted = `"${schema.replaceAll('"', '""')}".`
  const texts = new Map<string, string>()
  return sql => {
    let text = texts.get(sql)
    if (text === undefined) texts.set(sql, (text = sql.replaceAll('millrace.', () => quoted)))
    return text
  }
}
