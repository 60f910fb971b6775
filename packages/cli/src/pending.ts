import type { Module } from '@millrace/api'
import { loadConfig } from './config.ts'
import { pendingMigrations } from 'millrace'
import type { Settings } from './settings.ts'

/** One step that a store lacks. */
export interface Pending {
  /** `millrace` for the queue's own tables, else the module's name. */
  of: string
  version: number
  name: string
  sql: string
}

/** What a store lacks of the queue's and of the configured modules' tables, in the order in which it is applied. */
export async function pendingIn(
  settings: Settings,
): Promise<{ modules: readonly Module[]; pending: Pending[] }> {
  const { url } = settings
  const { modules } = await loadConfig(settings.config)
  const pending = (await pendingMigrations(url)).map(each => ({ of: 'millrace', ...each }))
  for (const { name: of, migrations } of modules)
    for (const each of (await migrations?.pending(url)) ?? []) pending.push({ of, ...each })
  return { modules, pending }
}
