import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Redis } from './harness.ts'

/** Finds or starts a Redis, and installs BullMQ beside the bench when it is missing. Says why not otherwise. */
export async function findRedis(folder: string): Promise<{ redis: Redis; stop: () => void }> {
  const given = process.env['TEST_REDIS_URL']
  if (!given && spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0)
    return none('no redis-server on PATH, and TEST_REDIS_URL is not set')
  const peers = installPeers()
  if (peers) return none(peers)
  if (given)
    return { redis: { url: given, name: 'BullMQ 6 (Redis as TEST_REDIS_URL is set up)' }, stop: () => {} }
  return start(folder)
}

function none(reason: string): { redis: Redis; stop: () => void } {
  return { redis: { url: null, reason: `no BullMQ: ${reason}` }, stop: () => {} }
}

function installPeers(): string | null {
  const here = fileURLToPath(new URL('.', import.meta.url))
  if (existsSync(join(here, 'node_modules', 'bullmq'))) return null
  const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: here, encoding: 'utf8' })
  return status === 0
    ? null
    : `its packages can't be installed (${String(stderr).trim().split('\n')[0] ?? 'npm ci failed'})`
}

async function start(folder: string): Promise<{ redis: Redis; stop: () => void }> {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const settings = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--dir', folder]
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...settings], {
    stdio: 'ignore',
  })
  const stop = (): void => void server.kill('SIGKILL')
  process.once('exit', stop)
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 100) {
      stop()
      return none('redis-server does not come up')
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return { redis: { url: `redis://127.0.0.1:${port}`, name: 'BullMQ 6 (Redis, appendfsync everysec)' }, stop }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
