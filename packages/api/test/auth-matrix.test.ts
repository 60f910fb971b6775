import { type Operation, operations } from '@millrace/api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BrowserSession, type Caller, everyCaller, ownTenant, secrets } from './auth-matrix/callers.ts'
import { makeDeadJob, makeSpecimen, type Specimen, snapshot } from './auth-matrix/specimens.ts'
import { whoMay } from './auth-matrix/table.ts'
import { answerWithoutBody } from './raw-request.ts'
import { sample, startTestServer, type TestServer } from './sample-server.ts'

let api: TestServer
let session: BrowserSession

beforeAll(async () => {
  const module = sample()
  api = await startTestServer({
    worker: false,
    modules: [module],
    drain: { budgetMs: 600_000 },
    access: {
      adminTokens: [secrets.admin],
      operatorTokens: [secrets.operator],
      viewerTokens: [secrets.viewer],
      cronSecrets: [secrets.cron],
      processorKeys: [secrets.processor],
      jwt: { secret: secrets.jwt },
      rateLimits: { user: null, failures: null },
    },
  })
  await makeDeadJob(api.server, module)
  const { headers, body } = await ask({ path: '/api/v1/session', body: { token: secrets.admin } }, 'post', {})
  session = { cookie: headers.get('set-cookie')?.split(';')[0] ?? '', csrfToken: JSON.parse(body).csrfToken }
})
afterAll(() => api[Symbol.asyncDispose]())

/** A stream is not read to its end, which it may not have. */
async function ask({ path, body }: Specimen, method: string, headers: Record<string, string>) {
  const response = await fetch(new URL(path, api.server.url), {
    method: method.toUpperCase(),
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  if (isStream) await response.body?.cancel()
  return { status: response.status, headers: response.headers, body: isStream ? '' : await response.text() }
}

/** How it went, in a word or a sentence: `done`, `401`, or what is wrong with it. */
async function outcome(operation: Operation, caller: Caller): Promise<string> {
  const { id, method, replies } = operation
  const specimen = await makeSpecimen(api.server, operation)
  const before = await snapshot(api.server)
  const { status, headers, body } = await ask(specimen, method, caller.headers)
  if (status < 400 && status in replies)
    return caller.isStranger && body.includes(ownTenant)
      ? `tells about the tenant ${ownTenant}: ${body}`
      : 'done'
  const wanted = caller.expected(operation)
  if (wanted === 'done')
    return `${status}: ${body}. Does it lack a body or a query? Add one for ${id} to test/auth-matrix/specimens.ts`
  if (headers.get('content-type') !== 'application/problem+json')
    return `${status}, but not a problem document`
  if (status === 401 && !headers.get('www-authenticate')?.startsWith('Bearer realm="millrace"'))
    return '401 without WWW-Authenticate'
  return (await snapshot(api.server)) === before ? String(status) : `${status}, but something has changed`
}

const named = operations.map(each => [each.id, each] as const)

it.each(named)(
  '%s answers everybody as the table says, and refuses without a trace',
  async (_, operation) => {
    const seen: Record<string, string> = {}
    const expected: Record<string, string> = {}
    for (const caller of await everyCaller(session)) {
      expected[caller.name] = String(caller.expected(operation))
      seen[caller.name] = await outcome(operation, caller)
    }
    expect(seen).toEqual(expected)
  },
)

const closedChanges = named.filter(([, each]) => each.method !== 'get' && whoMay(each) !== 'everybody')

it.each(closedChanges)(
  '%s waits for no body before it knows who asks, and that they may',
  async (_, operation) => {
    const { path } = await makeSpecimen(api.server, operation)
    const asked = { path, method: operation.method.toUpperCase() }
    expect(await answerWithoutBody(api.server.url, asked)).toMatch(/^HTTP\/1\.1 401 /)
    const machine = whoMay(operation).includes('cron') ? secrets.viewer : secrets.cron
    if (whoMay(operation).includes('viewer')) return
    const headers = { authorization: `Bearer ${machine}` }
    expect(await answerWithoutBody(api.server.url, { ...asked, headers })).toMatch(/^HTTP\/1\.1 403 /)
  },
)
