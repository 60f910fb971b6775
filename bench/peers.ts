import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const packages = ['autocannon', 'bullmq', 'graphile-worker', 'pg-boss']

/** Installs the peers beside the bench, where they are not yet; says why that can't be, null when they are there. */
export function peersMissing(): string | null {
  if (packages.every(name => existsSync(join(here, 'node_modules', name)))) return null
  const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: here, encoding: 'utf8' })
  return status === 0
    ? null
    : `the peers can't be installed (${String(stderr).trim().split('\n')[0] ?? 'npm ci failed'})`
}
