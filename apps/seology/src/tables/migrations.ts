import { readdirSync, readFileSync } from 'node:fs'
import { QueueError } from 'millrace'

export interface Migration {
  version: number
  /** The file's name. */
  name: string
  sql: string
}

const folder = new URL('sql/', import.meta.resolve('@millrace/seology/package.json'))

/** All that this release knows, oldest first. */
export function migrationsFor(engine: 'sqlite' | 'postgres'): Migration[] {
  const home = new URL(`${engine}/`, folder)
  return readdirSync(home)
    .filter(name => /^\d{4}_.*\.sql$/.test(name))
    .sort()
    .map(name => ({
      version: Number(name.slice(0, 4)),
      name,
      sql: readFileSync(new URL(name, home), 'utf8').trimEnd(),
    }))
}

/** What tables of the given version lack. Throws `version-mismatch` when a newer release has made them. */
export function lackingAfter(version: number, known: readonly Migration[]): Migration[] {
  const newest = known.at(-1)?.version ?? 0
  if (version <= newest) return known.filter(each => each.version > version)
  throw new QueueError(
    'version-mismatch',
    `the tables of seology have version ${version}, made by a newer release; this one knows ${newest}. Upgrade @millrace/seology`,
  )
}

/** Names of migrations are file names of ours: they hold no quote. */
export function noteOf({ version, name }: Migration): string {
  return `INSERT INTO seology_migration (version, name) VALUES (${version}, '${name}');`
}
