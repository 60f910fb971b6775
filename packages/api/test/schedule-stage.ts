import { afterAll, beforeAll } from 'vitest'
import { type Answer, believe, startTestServer, type TestServer, token } from './sample-server.ts'
import { makeStore, type storeKinds, type TestStore } from './stores.ts'

export const daily = { type: 'ECHO', payload: { text: 'x' }, cron: '0 7 * * *', timeZone: 'Europe/Paris' }

export interface ScheduleStage {
  /** Of the running tests' server. */
  api: TestServer
  at(name: string, action?: string): string
  put(name: string, body: object, headers?: Record<string, string>): Promise<Answer>
  act(name: string, action: string, headers?: Record<string, string>): Promise<Answer>
}

/** A server without a worker for the tests of one `describe`. */
export function scheduleStage(kind: (typeof storeKinds)[number]): ScheduleStage {
  let api: TestServer
  let store: TestStore
  beforeAll(async () => {
    store = await makeStore(kind)
    const access = { adminTokens: [token], authenticate: believe }
    api = await startTestServer({ url: store.url, access, worker: false })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
  const at = (name: string, action = ''): string => `/api/v1/schedules/${name}${action}`
  return {
    get api() {
      return api
    },
    at,
    put: (name, body, headers = {}) =>
      api.ask(at(name), {
        method: 'PUT',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    act: (name, action, headers = {}) => api.ask(at(name, action), { method: 'POST', headers }),
  }
}
