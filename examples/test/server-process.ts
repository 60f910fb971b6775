import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const examples = join(import.meta.dirname, '..')
const bin = join(examples, '..', 'node_modules', '.bin')

export const adminToken = 'example-admin-token'
export const cronSecret = 'example-cron-secret-0123'

/** Without what vitest and npm hand down: an example is started as its user would. */
export function plainEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_OPTIONS|NODE_COMPILE_CACHE|VITEST|NODE_ENV|INIT_CWD)/.test(name),
  )
  const telemetry = { NEXT_TELEMETRY_DISABLED: '1', DISABLE_OPENCOLLECTIVE: 'true' }
  return { ...Object.fromEntries(kept), PATH: `${bin}:${process.env.PATH}`, ...telemetry, ...more }
}

export interface ServerProcess extends AsyncDisposable {
  /** `http://127.0.0.1:41234` */
  url: string
  store: string
  output(): string
  /** With the admin token, unless the headers say otherwise. */
  ask(path: string, init?: RequestInit): Promise<Answer>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  status: number
  // What it holds depends on who answers; tests read what theirs should.
  body: Record<string, never> & { id: string; result: string; code: string; processed: number }
  text: string
}

export interface StartOptions {
  cwd: string
  command: string[]
  env?: Record<string, string>
}

/** Starts a server over a new store, and resolves when it says where it listens. */
export async function startServer({ cwd, command, env = {} }: StartOptions): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-example-'))
  const store = `file:${join(folder, 'millrace.db')}`
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd,
    detached: true,
    env: plainEnvironment({
      MILLRACE_URL: store,
      ADMIN_TOKEN: adminToken,
      CRON_SECRET: cronSecret,
      PORT: '0',
      ...env,
    }),
  })
  let said = ''
  const listens = Promise.withResolvers<string>()
  const hear = (chunk: Buffer): void => {
    said += chunk.toString()
    const url = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1?\]):(\d+)/.exec(said)
    if (url) listens.resolve(`http://localhost:${url[1]}`)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const exited = once(child, 'exit').then(() => listens.reject(new Error(`it ended:\n${said}`)))
  listens.promise.catch(() => {})
  const url = await listens.promise
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${adminToken}`)
    const response = await fetch(new URL(path, url), { ...init, headers })
    const text = await response.text()
    const isJson = /^[[{]/.test(text)
    return { status: response.status, body: isJson ? JSON.parse(text) : {}, text }
  }
  return {
    url,
    store,
    output: () => said,
    ask,
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async [Symbol.asyncDispose]() {
      // A framework's own children too.
      if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
