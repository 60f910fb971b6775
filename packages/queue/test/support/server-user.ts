import { chownSync, readFileSync } from 'node:fs'

/** Who runs a server: PostgreSQL and PgBouncer refuse to run as root. Empty where this process need not change. */
export interface ServerUser {
  uid?: number
  gid?: number
}

export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {}
  const users = new Map<string, ServerUser>()
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name) users.set(name, { uid: Number(uid), gid: Number(gid) })
  }
  const user = users.get('postgres') ?? users.get('nobody')
  if (user === undefined)
    throw new Error('a server can’t run as root, and there is no user postgres or nobody')
  return user
}

export function giveTo(user: ServerUser, path: string): void {
  if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid)
}
