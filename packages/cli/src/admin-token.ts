import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CommandError } from './errors.ts'
import type { Settings } from './settings.ts'

export interface AdminToken {
  /** Several with commas, where ADMIN_TOKEN lists them. */
  token: string
  /** Where it is kept; null when it came from ADMIN_TOKEN. */
  file: string | null
  warning: string | null
}

/** The token from the environment, or the one kept beside the data, made at first start. */
export async function adminToken({ adminToken: given, tokenFile }: Settings): Promise<AdminToken> {
  if (given !== null) return { token: given, file: null, warning: null }
  const token = (await readToken(tokenFile)) ?? (await makeToken(tokenFile))
  return { token, file: tokenFile, warning: await warnOfReaders(tokenFile) }
}

/** The token for a command line that is shown, without showing it; the first, where ADMIN_TOKEN lists several. */
export function shownBearer({ file }: AdminToken): string {
  return file === null ? '${ADMIN_TOKEN%%,*}' : `$(cat ${file})`
}

async function readToken(file: string): Promise<string | null> {
  try {
    const token = (await readFile(file, 'utf8')).trim()
    if (/^[\x21-\x7e]{16,}$/.test(token)) return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new CommandError('no-token', `The admin token in ${file} can not be read: ${reason(error)}`, error)
  }
  throw new CommandError(
    'no-token',
    `${file} holds no usable token; delete it, and the next start makes a new one`,
  )
}

/** The file appears under its name only when it is whole, so that two first starts agree on one token. */
async function makeToken(file: string): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  const draft = `${file}.${randomUUID()}`
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(draft, `${token}\n`, { flag: 'wx', mode: 0o600 })
    await link(draft, file).finally(() => unlink(draft))
    return token
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const kept = code === 'EEXIST' ? await readToken(file) : null
    if (kept !== null) return kept
    throw new CommandError(
      'unwritable',
      `The admin token can not be written to ${file}: ${reason(error)}`,
      error,
    )
  }
}

async function warnOfReaders(file: string): Promise<string | null> {
  if (process.platform === 'win32') return null
  const { mode } = await stat(file)
  if ((mode & 0o077) === 0) return null
  return `Other users of this machine can read ${file}; close it with: chmod 600 ${file}`
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Record<string, string> = {
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    ENOTDIR: 'a part of the path is not a folder',
    EEXIST: 'something else has that name',
    EISDIR: 'it is a folder',
  }
  return known[code ?? ''] ?? message
}
