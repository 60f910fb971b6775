import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { peersMissing } from './peers.ts'

/** A Redis for the peer, or why there is none. */
export type Redis = { url: string; name: string; stop: () => void } | { url: null; reason: string }

/** Finds or starts a Redis, and installs BullMQ beside the bench when it is missing. Says why not otherwise. */
export async function findRedis(folder: string): Promise<Redis> {
  const given = process.env['TEST_REDIS_URL']
  if (!given && spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0)
    return none('no redis-server on PATH, and TEST_REDIS_URL is not set')
  const peers = peersMissing()
  if (peers) return none(peers)
  if (given) return { url: given, name: 'BullMQ 6 (Redis as TEST_REDIS_URL is set up)', stop: () => {} }
  return start(folder)
}

function none(reason: string): Redis {
  return { url: null, reason: `no BullMQ: ${reason}` }
}

async function start(folder: string): Promise<Redis> {
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
  return { url: `redis://127.0.0.1:${port}`, name: 'BullMQ 6 (Redis, appendfsync everysec)', stop }
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
