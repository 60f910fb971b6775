import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, get, request } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type Module, StartError } from '@millrace/api'
import { hold, sample, startTestServer, token } from './sample-server.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-server-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const start = (options: Partial<Parameters<typeof createServer>[0]>) =>
  createServer({
    url: `file:${join(folder, 'store.db')}`,
    access: { adminTokens: [token] },
    port: 0,
    ...options,
  })

describe('a server that can not start', () => {
  it('says that the port is in use, before it touches the store', async () => {
    await using running = await startTestServer()
    let opened = false
    const module: Module = { name: 'late', jobs: [], handlers: [], open: async () => void (opened = true) }
    const port = Number(new URL(running.server.url).port)
    const refused = await start({ port, modules: [module] }).catch(error => error)
    expect(refused).toBeInstanceOf(StartError)
    expect(refused).toMatchObject({ code: 'EADDRINUSE', message: expect.stringContaining(`Port ${port}`) })
    expect(opened).toBe(false)
  })

  it('says that the host is not of this machine', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
      message: expect.stringContaining('192.0.2.1'),
    })
  })

  it('says that the folder of the store is not one', async () => {
    await writeFile(join(folder, 'plain'), '')
    await expect(start({ url: `file:${join(folder, 'plain', 'store.db')}` })).rejects.toMatchObject({
      name: 'QueueError',
      message: expect.stringContaining('plain'),
    })
  })

  it.each(['mysql://x', 'nonsense', 'file:'])('says that %s is no store', async url => {
    await expect(start({ url })).rejects.toMatchObject({ name: 'QueueError', code: 'invalid-argument' })
  })

  it('closes what it had opened when a module fails', async () => {
    const closed: string[] = []
    const first: Module = {
      name: 'first',
      jobs: [],
      handlers: [],
      close: async () => void closed.push('first'),
    }
    const broken: Module = {
      name: 'broken',
      jobs: [],
      handlers: [],
      open: () => Promise.reject(new Error('no table')),
      close: async () => void closed.push('broken'),
    }
    await expect(start({ modules: [first, broken] })).rejects.toThrow('no table')
    expect(closed).toEqual(['broken', 'first'])
  })
})

describe('a server that is starting', () => {
  it('refuses with a problem document and the security headers, and says when to come back', async () => {
    const port = await freePort()
    let early: Response | null = null
    const open = async (): Promise<void> => {
      early = await fetch(`http://127.0.0.1:${port}/health`)
    }
    const server = await start({ port, modules: [{ name: 'early', jobs: [], handlers: [], open }] })
    await server.close()
    const { status, headers } = early as unknown as Response
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toBe('1')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(await (early as unknown as Response).json()).toMatchObject({
      code: 'unavailable',
      instance: '/health',
    })
  })
})

async function freePort(): Promise<number> {
  const probe = createNetServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  return port
}

describe('a server that closes', () => {
  it('lets running jobs finish within the deadline', async () => {
    const module = sample()
    await using api = await startTestServer({ modules: [module] })
    const { id } = await api.server.millrace.enqueue(hold, {})
    const done = api.server.millrace.result(id)
    await module.holding
    const closing = api.server.close({ deadlineMs: 10_000 })
    module.release()
    await expect(done).resolves.toBeNull()
    await closing
  })

  it('gives back what does not finish by the deadline', async () => {
    const module = sample()
    const url = `file:${join(folder, 'given-back.db')}`
    const server = await start({ url, modules: [module] })
    const { id } = await server.millrace.enqueue(hold, {})
    await module.holding
    await server.close({ deadlineMs: 20 })
    const again = await start({ url, modules: [sample()], worker: false })
    expect(await again.millrace.get(id)).toMatchObject({ state: 'queued', attempt: 0 })
    await again.close()
  })

  it('closes connections that are kept alive, and refuses new ones', async () => {
    await using api = await startTestServer()
    const agent = new Agent({ keepAlive: true })
    await new Promise<void>((resolve, reject) => {
      get(new URL('/health', api.server.url), { agent }, response =>
        response.resume().once('end', resolve),
      ).once('error', reject)
    })
    const idle = connect(Number(new URL(api.server.url).port), '127.0.0.1')
    const ended = new Promise<void>(resolve => idle.once('close', () => resolve()))
    idle.on('error', () => {}).resume()
    await new Promise<void>(resolve => idle.once('connect', () => resolve()))
    await api.server.close({ deadlineMs: 1_000 })
    await ended
    agent.destroy()
    await expect(fetch(api.server.url)).rejects.toThrow()
  })

  it('answers a request that was under way', async () => {
    await using api = await startTestServer({ worker: false })
    const { promise: answered, resolve } = Promise.withResolvers<number>()
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      expect: '100-continue',
    }
    const sent = request(new URL('/api/v1/jobs', api.server.url), { method: 'POST', headers }, response => {
      resolve(response.statusCode ?? 0)
      response.resume()
    })
    // The server has seen the request when it asks for the body.
    await new Promise<void>(asked => {
      sent.once('continue', asked)
      sent.flushHeaders()
    })
    const closing = api.server.close({ deadlineMs: 5_000 })
    sent.end('{"type":"ECHO","payload":{"text":"x"}}')
    expect(await answered).toBe(201)
    await closing
  })

  it('closes twice as calmly as once', async () => {
    const server = await start({})
    await Promise.all([server.close(), server.close()])
  })
})
