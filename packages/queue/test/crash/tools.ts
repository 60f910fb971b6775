import { spawnSync } from 'node:child_process'

/** What a test needs of the machine. Without it the test is skipped with the reason; `REQUIRE_ALL=1` runs it all the same. */
export interface Tool {
  missing: boolean
  reason: string
}

function tool(reason: string, command: string, ...args: string[]): Tool {
  const works = spawnSync(command, args, { stdio: 'ignore' }).status === 0
  const missing = !works && process.env['REQUIRE_ALL'] !== '1'
  if (missing) console.warn(`skipped: ${reason}`)
  return { missing, reason }
}

export const strace = (): Tool =>
  tool('strace is not installed, or may not trace here', 'strace', '-o', '/dev/null', 'true')

/** How to get a mount namespace of one's own: as root, or as a user where the kernel lets users have one. */
export const namespaceArgs = process.getuid?.() === 0 ? ['-m'] : ['-Urm']

export const smallDisk = (): Tool =>
  tool(
    'no disk can be mounted here (unshare -m)',
    'unshare',
    ...namespaceArgs,
    'mount',
    '-t',
    'tmpfs',
    'tmpfs',
    '/mnt',
  )
