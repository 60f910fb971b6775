import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const examples = join(import.meta.dirname, '..')
const root = join(examples, '..')

/** What the examples stand on, as its users would have it: compiled, and installed from one lockfile. */
export default function setUp(): void {
  run(root, 'tsc', ['-b', 'packages/queue', 'packages/api', 'packages/cli'])
  // What npm has written last says which lockfile it was: nothing is installed twice.
  if (modifiedMs('node_modules/.package-lock.json') < modifiedMs('package-lock.json'))
    run(examples, 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'])
  for (const [from, to] of [
    ['queue', 'millrace'],
    ['api', '@millrace/api'],
    ['cli', '@millrace/cli'],
  ] as const)
    for (const part of ['dist', 'package.json'])
      copy(`packages/${from}/${part}`, `node_modules/${to}/${part}`)
}

/** npm copies a folder when it installs it, and not again when that was compiled anew. */
function copy(from: string, to: string): void {
  rmSync(join(examples, to), { recursive: true, force: true })
  cpSync(join(root, from), join(examples, to), { recursive: true })
}

function modifiedMs(path: string): number {
  const full = join(examples, path)
  return existsSync(full) ? statSync(full).mtimeMs : 0
}

function run(cwd: string, command: string, args: string[]): void {
  const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` }
  try {
    execFileSync(command, args, { cwd, env, stdio: 'pipe', encoding: 'utf8' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}
