/** An API over a new SQLite file, asked without sockets, with a wall clock that a test can set. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccessLogEntry, type AccessOptions, createApi, type Module } from '@millrace/api'
import { type Clock, createMillrace, type Millrace, openEngine, systemClock } from 'millrace'
import { echo } from './sample-server.ts'

export interface Reply {
  status: number
  headers: Headers
  text: string
  body: Record<string, unknown>
}

interface Ask extends Omit<RequestInit, 'headers'> {
  headers?: Record<string, string>
  /** The other end of the socket. */
  from?: string
}

export interface AccessFixture extends AsyncDisposable {
  millrace: Millrace
  troubles: { where: string; error: unknown }[]
  log: AccessLogEntry[]
  /** Of the wall clock. */
  at: number
  ask(path: string, init?: Ask): Promise<Reply>
  /** An API of other options over the same store, as after a restart. */
  restarted(access: AccessOptions): AccessFixture['ask']
}

export async function makeFixture(access: AccessOptions, modules: Module[] = []): Promise<AccessFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-access-'))
  const clock: Clock = { ...systemClock, now: () => fixture.at }
  const millrace: Millrace = createMillrace({
    engine: openEngine(`file:${join(folder, 'millrace.db')}`),
    jobs: [echo],
    clock,
  })
  const log: AccessLogEntry[] = []
  const asker = (options: AccessOptions): AccessFixture['ask'] => {
    const accessLog = (entry: AccessLogEntry): void => void log.push(entry)
    const api = createApi({ millrace, access: options, modules, accessLog })
    return async (path, { from = '192.0.2.1', ...init } = {}) => {
      const socket = { remoteAddress: from }
      const response = await api.request(`http://jobs.test${path}`, init, { incoming: { socket } })
      const text = await response.text()
      const isJson = text !== '' && response.headers.get('content-type')?.includes('json')
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : {},
      }
    }
  }
  const fixture: AccessFixture = {
    millrace,
    troubles: [],
    log,
    at: Date.now(),
    ask: asker(access),
    restarted: asker,
    async [Symbol.asyncDispose]() {
      await millrace.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  millrace.on('trouble', trouble => fixture.troubles.push(trouble))
  return fixture
}

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })
export const json = { 'content-type': 'application/json' }
