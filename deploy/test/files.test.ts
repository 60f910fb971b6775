import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { previewSchedule } from '../../packages/queue/src/index.ts'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  cronSecret,
  examples,
  plainEnvironment,
  type ServerProcess,
  startServer,
} from '../../examples/test/server-process.ts'
import { inExamples, parse } from './in-examples.ts'

const deploy = join(import.meta.dirname, '..')
const root = join(deploy, '..')
const read = (path: string): string => readFileSync(join(deploy, path), 'utf8')
const require = createRequire(import.meta.url)

/** An application that works only when it is asked to. */
const startApp = (): Promise<ServerProcess> =>
  startServer({ cwd: join(examples, 'fetch'), command: ['node', 'serve.ts'] })

interface Workflow {
  on: { schedule: { cron: string }[] }
  jobs: { drain: { steps: { run: string; env: Record<string, string> }[] } }
}

async function shell(
  command: string[],
  env: Record<string, string>,
): Promise<{ code: unknown; out: string }> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { env: plainEnvironment(env) })
  let out = ''
  child.stdout.on('data', chunk => (out += String(chunk)))
  child.stderr.on('data', chunk => (out += String(chunk)))
  const [code] = await once(child, 'close')
  return { code, out }
}

describe('vercel.json', () => {
  const [cron] = (JSON.parse(read('vercel.json')) as { crons: { path: string; schedule: string }[] }).crons

  it('asks once a minute', () => {
    const [first = 0, second = 0] = previewSchedule({ cron: cron?.schedule ?? '' }, { after: 0, count: 2 })
    expect(second - first).toBe(60_000)
  })

  it('names a path that drains, by GET and with the secret that Vercel sends', async () => {
    await using app = await startApp()
    const answer = await app.ask(cron?.path ?? '', { headers: { authorization: `Bearer ${cronSecret}` } })
    expect([answer.status, answer.body.processed]).toEqual([200, 0])
  })
})

describe('the workflow for GitHub Actions', () => {
  const workflow = parse(read('github-actions.yml')) as Workflow
  const [step] = workflow.jobs.drain.steps

  it('is one by its schema', () => {
    const { validateWorkflow } = inExamples('@action-validator/core') as {
      validateWorkflow(text: string): { errors: unknown[] }
    }
    expect(validateWorkflow(read('github-actions.yml')).errors).toEqual([])
    expect(validateWorkflow('on: push').errors).not.toEqual([])
  })

  it('drains by the command that it runs, and fails when it is refused', async () => {
    await using app = await startApp()
    await app.post('/greetings', { name: 'Ada' })
    const command = ['bash', '-e', '-c', step?.run ?? '']
    expect(Object.keys(step?.env ?? {})).toEqual(['APP_URL', 'CRON_SECRET'])
    const refused = await shell(command, { APP_URL: app.url, CRON_SECRET: 'wrong' })
    expect([refused.code, refused.out]).toEqual([22, expect.stringContaining('unauthorized')])
    const drained = await shell(command, { APP_URL: app.url, CRON_SECRET: cronSecret })
    expect([drained.code, drained.out]).toEqual([0, expect.stringContaining('"processed":1')])
  })
})

describe('drain.sh', () => {
  it.each(['0', '1'])('drains with KEY_HEADER=%s, and shows its secret to nobody', async header => {
    await using app = await startApp()
    await app.post('/greetings', { name: 'Ada' })
    const env = { APP_URL: app.url, CRON_SECRET: cronSecret, KEY_HEADER: header }
    const { code, out } = await shell([join(deploy, 'drain.sh')], env)
    expect([code, out]).toEqual([0, expect.stringContaining('"processed":1')])
    expect(read('drain.sh')).not.toMatch(/--header[^\n]*CRON_SECRET/)
    expect((await shell([join(deploy, 'drain.sh')], { ...env, CRON_SECRET: 'wrong' })).code).toBe(22)
  })

  it('says what it lacks', async () => {
    const { code, out } = await shell([join(deploy, 'drain.sh')], { CRON_SECRET: 'x' })
    expect([code, out]).toEqual([expect.any(Number), expect.stringContaining('set APP_URL')])
    expect(code).not.toBe(0)
  })
})

describe('docker-compose.yml', () => {
  it('is one by its schema', () => {
    const folder = join(examples, 'node_modules/dclint')
    const load = createRequire(join(folder, 'package.json'))
    const Ajv = load('ajv/dist/2019.js') as new (
      options: object,
    ) => {
      compile(schema: object): ((value: unknown) => boolean) & { errors?: unknown }
    }
    const schema = JSON.parse(readFileSync(join(folder, 'schemas/compose.schema.json'), 'utf8')) as object
    const validate = new Ajv({ strict: false, validateFormats: false }).compile({
      ...schema,
      $schema: undefined,
    })
    const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: object }
    validate(compose)
    expect(validate.errors ?? []).toEqual([])
    expect(validate({ ...compose, services: { app: { comand: [] } } })).toBe(false)
  })

  it('keeps the password apart from the URL, so that it may hold any character', () => {
    const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
      services: Record<string, { environment: Record<string, string> }>
    }
    for (const name of ['app', 'worker']) {
      const { MILLRACE_URL = '', PGPASSWORD } = services[name]?.environment ?? {}
      expect([new URL(MILLRACE_URL).password, PGPASSWORD]).toEqual([
        '',
        expect.stringMatching(/^\$\{POSTGRES_PASSWORD:/),
      ])
    }
  })

  it('builds from a file and a folder that are there', () => {
    const { services } = parse(read('docker-compose.yml')) as {
      services: Record<string, { build?: { context: string; dockerfile: string } }>
    }
    for (const { build } of Object.values(services))
      if (build) expect(existsSync(join(deploy, build.context, build.dockerfile))).toBe(true)
  })
})

describe('the units for systemd', () => {
  const units = readdirSync(join(deploy, 'systemd'))
  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

  it.skipIf(!hasSystemd).each(units)('%s is one by systemd-analyze, where that is installed', name => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-unit-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    // It looks whether the program is there; this machine has its Node elsewhere.
    const text = read(`systemd/${name}`).replace('/usr/bin/node', process.execPath)
    const verify = (unit: string) => {
      writeFileSync(join(folder, name), unit)
      return spawnSync('systemd-analyze', ['verify', join(folder, name)], { encoding: 'utf8' })
    }
    expect(verify(text)).toMatchObject({ status: 0, stderr: '' })
    expect(verify(text.replace('Restart=always', 'Restart=sometimes')).stderr).toMatch(/restart/)
  })
})

interface Pm2App {
  name: string
  script: string
  args: string
  kill_timeout: number
}

describe('the command lines of systemd and pm2', () => {
  const lines: [string, string[]][] = []
  beforeAll(() => {
    expect(lines.length).toBeGreaterThanOrEqual(4)
  })
  for (const name of readdirSync(join(deploy, 'systemd')))
    lines.push([
      name,
      /^ExecStart=\/usr\/bin\/node (.*)$/m.exec(read(`systemd/${name}`))?.[1]?.split(' ') ?? [],
    ])
  const { apps } = require('../ecosystem.config.cjs') as { apps: Pm2App[] }
  for (const { name, script, args } of apps) lines.push([`pm2's ${name}`, [script, ...args.split(' ')]])

  it.each(lines)('of %s starts, and ends by SIGTERM', async (_, args) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-line-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    // The sources, because this is not where it is deployed.
    const child = spawn(process.execPath, ['--conditions=millrace-source', ...args], {
      cwd: root,
      env: plainEnvironment({
        MILLRACE_URL: `file:${join(folder, 'm.db')}`,
        ADMIN_TOKEN: 'token',
        PORT: '0',
      }),
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let said = ''
    for await (const chunk of child.stdout) if (/listens|Working on/.test((said += String(chunk)))) break
    expect(said).toMatch(/listens|Working on/)
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await exit
  })

  it('leave more time to stop than running jobs get', () => {
    for (const each of apps) expect(each.kill_timeout).toBeGreaterThan(25_000)
    for (const name of readdirSync(join(deploy, 'systemd')))
      expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(read(`systemd/${name}`))?.[1])).toBeGreaterThan(25)
  })
})
