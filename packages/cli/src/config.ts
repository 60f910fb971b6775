import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Module } from '@millrace/api'
import { CommandError } from './errors.ts'

/** The default export of `millrace.config.ts`. */
export interface MillraceConfig {
  modules: readonly Module[]
}

export interface LoadedConfig extends MillraceConfig {
  /** Null when there is none. */
  path: string | null
}

const names = ['millrace.config.ts', 'millrace.config.mts', 'millrace.config.js', 'millrace.config.mjs']

/** Imports the configuration of the working directory, or the one that `--config` names. Without one: no modules. */
export async function loadConfig(given: string | null): Promise<LoadedConfig> {
  const path = given === null ? names.find(name => existsSync(name)) : given
  if (path === undefined) return { path: null, modules: [] }
  if (!existsSync(path)) throw new CommandError('no-config', `There is no configuration at ${path}`)
  const exported = await importDefault(path)
  const modules = (exported as Partial<MillraceConfig> | undefined)?.modules
  if (!Array.isArray(modules) || !modules.every(isModule))
    throw new CommandError(
      'bad-config',
      `${path} must export by default an object like { modules: [seology()] }`,
    )
  return { path, modules }
}

/** The job types that this configuration can work on. Throws when there are none. */
export function workableTypes({ path, modules }: LoadedConfig): string[] {
  const types = modules.flatMap(each => each.handlers).map(each => each.job.type)
  if (types.length > 0) return types
  const where = path === null ? 'There is no millrace.config.ts here, so there are' : `${path} has`
  throw new CommandError('no-handlers', `${where} no handlers: nothing to work on`)
}

async function importDefault(path: string): Promise<unknown> {
  try {
    const loaded: { default?: unknown } = await import(pathToFileURL(resolve(path)).href)
    return loaded.default
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new CommandError(
        'bad-config',
        `Node ${process.versions.node} can not read ${path}: use Node 22.18 or newer, or name it millrace.config.mjs`,
      )
    throw new CommandError('bad-config', `${path} can not be loaded: ${message}`, error)
  }
}

function isModule(value: unknown): value is Module {
  const { name, jobs, handlers } = (value ?? {}) as Partial<Module>
  return typeof name === 'string' && Array.isArray(jobs) && Array.isArray(handlers)
}
