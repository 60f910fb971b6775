import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { plainEnvironment } from '../../examples/test/server-process.ts'
import { startPostgres } from '../../packages/queue/test/support/postgres-server.ts'
import { build, type Image, link, run } from './dockerfile.ts'
import { parse } from './in-examples.ts'

const root = join(import.meta.dirname, '../..')
const adminToken = 'deploy-admin-token'

interface Compose {
  services: Record<string, { command?: string[]; environment: Record<string, string> }>
}
const compose = parse(readFileSync(join(root, 'deploy/docker-compose.yml'), 'utf8')) as Compose

let image: Image | undefined
let context: string
beforeAll(() => {
  context = mkdtempSync(join(tmpdir(), 'millrace-context-'))
  // What git does not keep, Docker is not sent either (Dockerfile.dockerignore).
  for (const file of run('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root })
    .trim()
    .split('\n')) {
    mkdirSync(dirname(join(context, file)), { recursive: true })
    cpSync(join(root, file), join(context, file))
  }
  image = build(join(root, 'deploy/Dockerfile'), {
    context,
    env: plainEnvironment(),
    // The very packages that this repository was installed with, from the same lockfile.
    instead: (command, folder) => {
      if (!command.startsWith('npm ci') || command.includes('--omit=dev')) return false
      mkdirSync(join(folder, 'node_modules'))
      link(join(root, 'node_modules'), join(folder, 'node_modules'))
      return true
    },
  })
})
afterAll(() => {
  rmSync(context, { recursive: true, force: true })
  if (image) rmSync(dirname(dirname(image.folder)), { recursive: true, force: true })
})

function built(): Image {
  if (!image) throw new Error('the image was not built')
  return image
}

/** Runs a command line as the image's user, where this process may become it. */
function start(command: string[], env: Record<string, string>): ChildProcess & { said: () => string } {
  const [program = '', ...args] = command
  const [uid, gid] = (built().user ?? '').split(':').map(Number)
  const child = spawn(program === 'node' ? process.execPath : program, args, {
    cwd: built().folder,
    env: plainEnvironment({ HOME: '/nonexistent', ...built().env, ADMIN_TOKEN: adminToken, ...env }),
    ...(process.getuid?.() === 0 && uid !== undefined && gid !== undefined ? { uid, gid } : {}),
  })
  let said = ''
  child.stdout.on('data', chunk => (said += String(chunk)))
  child.stderr.on('data', chunk => (said += String(chunk)))
  return Object.assign(child, { said: () => said })
}

async function says(child: ReturnType<typeof start>, pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const found = pattern.exec(child.said())
    if (found) return found
    if (child.exitCode !== null) throw new Error(`it ended:\n${child.said()}`)
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')])
  }
}

async function stop(child: ChildProcess): Promise<unknown[]> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  return exit
}

async function health(env: Record<string, string>): Promise<unknown> {
  return (await once(start(built().healthcheck, env), 'exit'))[0]
}

describe('the image', () => {
  it('has no compiler, no test and no source in it, and does not run as root', () => {
    for (const path of ['node_modules/typescript', 'node_modules/vitest', 'packages/queue/src', 'examples'])
      expect(() => readFileSync(join(built().folder, path))).toThrow(/ENOENT/)
    expect(built().user).toBe('1000:1000')
  })

  it('serves, says that it is well, refuses a bad token, and stops when it is told', async () => {
    const server = start(built().command, { HOST: '127.0.0.1', PORT: '0' })
    onTestFinished(() => void server.kill('SIGKILL'))
    const [url = '', port = ''] = await says(server, /http:\/\/127\.0\.0\.1:(\d+)/)
    expect(await health({ PORT: port })).toBe(0)
    const stats = (token: string) =>
      fetch(`${url}/api/v1/stats`, { headers: { authorization: `Bearer ${token}` } })
    expect([(await stats(adminToken)).status, (await stats('wrong')).status]).toEqual([200, 401])
    await stop(server)
    expect(await health({ PORT: port })).toBe(1)
  })
})

describe('the composition', () => {
  it('works on PostgreSQL with the commands that it names, in two processes', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    await server.createDatabase('millrace')
    const { app, worker } = compose.services
    expect(app?.environment).toEqual(worker?.environment)
    const env = { MILLRACE_URL: server.url('millrace'), HOST: '127.0.0.1', PORT: '0' }
    const processes = [start(built().command, env), start(worker?.command ?? [], env)] as const
    onTestFinished(() => {
      for (const each of processes) each.kill('SIGKILL')
    })
    const [, port = ''] = await says(processes[0], /http:\/\/127\.0\.0\.1:(\d+)/)
    await says(processes[1], /Working on postgres/)
    expect(await health({ PORT: port })).toBe(0)
    await Promise.all(processes.map(stop))
  })
})
