import type { Command } from 'commander'
import { type Context, runs, withConfig } from '../command.ts'
import { loadConfig } from '../config.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { type Pending, pendingIn } from '../pending.ts'
import { shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'

interface MigrateFlags {
  check?: boolean
  sql?: boolean
}

export function migrateCommand(root: Command): void {
  const command = root
    .command('migrate')
    .description("bring the store, and the modules' tables in it, to this version's schema")
    .option('--check', 'change nothing; list what is pending, and end with 1 if anything is')
    .option('--sql', 'change nothing; print what would be run')
  runs<MigrateFlags>(withConfig(command), migrate)
}

async function migrate(context: Context<MigrateFlags>): Promise<number> {
  const { check, sql } = context.flags
  if (check && sql) throw new UsageError('give --check or --sql, not both')
  if (!check && !sql) return apply(context)
  const { settings, out } = context
  const { pending } = await pendingIn(settings)
  const store = shownUrl(settings.url)
  if (sql) {
    print(out, store, pending)
    return exitCodes.ok
  }
  list(out, store, pending)
  return pending.length === 0 ? exitCodes.ok : exitCodes.failed
}

/** The queue first: modules may build upon it. */
async function apply({ settings, out }: Context<object>): Promise<number> {
  const { modules } = await loadConfig(settings.config)
  const health = await withStore(settings, millrace => millrace.health())
  const made = modules.filter(each => each.migrations)
  for (const { migrations } of made) await migrations?.apply(settings.url)
  const store = shownUrl(settings.url)
  out.value({ store, ...health, modules: made.map(each => each.name) })
  const { engine, schemaVersion, durability, notes } = health
  out.line(`${store} is at schema version ${schemaVersion} (${engine}, ${durability}).`)
  for (const note of notes) out.line(`  ${note}`)
  for (const { name } of made) out.line(`The tables of ${name} are up to date.`)
  return health.ok ? exitCodes.ok : exitCodes.failed
}

function list(out: Output, store: string, pending: readonly Pending[]): void {
  out.value({ store, pending: pending.map(({ of, version, name }) => ({ of, version, name })) })
  if (pending.length === 0) return out.line(`${store} is up to date.`)
  out.line(`${store} lacks:`)
  for (const { of, name } of pending) out.line(`  ${of}  ${name}`)
}

/** Comments and statements only, so that it can be piped into the database's own shell. */
function print(out: Output, store: string, pending: readonly Pending[]): void {
  out.value({ store, pending })
  if (pending.length === 0) out.line(`-- ${store} is up to date.`)
  for (const { of, name, sql } of pending) out.line(`-- ${of}: ${name}\n\n${sql.trim()}\n`)
}
