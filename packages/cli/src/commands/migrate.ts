import type { Command } from 'commander'
import { type Context, runs } from '../command.ts'
import { exitCodes } from '../errors.ts'
import { shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'

export function migrateCommand(root: Command): void {
  const command = root.command('migrate').description("bring the store to this version's schema")
  runs(command, migrate)
}

async function migrate({ settings, out }: Context<object>): Promise<number> {
  const health = await withStore(settings, millrace => millrace.health())
  out.value({ store: shownUrl(settings.url), ...health })
  const { engine, schemaVersion, durability, notes } = health
  out.line(`${shownUrl(settings.url)} is at schema version ${schemaVersion} (${engine}, ${durability}).`)
  for (const note of notes) out.line(`  ${note}`)
  return health.ok ? exitCodes.ok : exitCodes.failed
}
