import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { giveTo, serverUser } from './server-user.ts'

/**
 * Waits for its standard input to end, which it does however its parent ends, SIGKILL included; then kills everything
 * that runs in the folder and removes it.
 */
const reaper = `
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10; do
  pids=$(find /proc/[0-9]*/cwd -maxdepth 0 \\( -lname "$0" -o -lname "$0/*" \\) -printf '%h\\n' 2>/dev/null)
  for pid in $pids; do kill -KILL "\${pid#/proc/}" 2>/dev/null; done
  rm -rf "$0" 2>/dev/null && exit
  sleep 0.2
done
`

/** A temp folder that the server's user owns. It goes away with this process, and so does whatever runs in it. */
export function serverFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `millrace-${name}-`))
  giveTo(serverUser(), folder)
  const child = spawn('sh', ['-c', reaper, folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  const input = child.stdin as unknown as { unref(): void }
  input.unref()
  return folder
}

/** Starts a server in `cwd`. What it prints goes to the file `log`. It never keeps this process alive. */
export function spawnServer(command: string, args: string[], cwd: string, log: string): ChildProcess {
  const output = openSync(log, 'a')
  const child = spawn(command, args, {
    ...serverUser(),
    cwd,
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
  })
  child.unref()
  return child
}

/** Waits until `isUp` no longer throws; null when the server has ended instead. */
export async function whenUp(
  child: ChildProcess,
  isUp: () => Promise<void>,
  withinMs = 60_000,
): Promise<boolean> {
  const deadlineAt = Date.now() + withinMs
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    try {
      await isUp()
      return true
    } catch (error) {
      if (Date.now() > deadlineAt) throw error
    }
    await delay(20)
  }
  return false
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
    return Promise.resolve()
  child.ref()
  return new Promise(resolve => child.once('exit', () => resolve()))
}

/** SIGKILLs every process whose working folder is `folder` or below. */
export function killAllIn(folder: string): void {
  for (const pid of readdirSync('/proc').filter(each => /^\d+$/.test(each))) {
    try {
      const cwd = readlinkSync(`/proc/${pid}/cwd`)
      if (cwd === folder || cwd.startsWith(`${folder}/`)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended meanwhile, or it is not ours to look at.
    }
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject()))
    })
  })
}

/** The last lines of a server's log, for an error's message. */
export function tail(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n')
}

export function urlOf(port: number, database: string, params: Record<string, string>): string {
  const query = new URLSearchParams(params).toString()
  return `postgres://postgres@127.0.0.1:${port}/${encodeURIComponent(database)}${query ? `?${query}` : ''}`
}
