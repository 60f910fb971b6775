/**
 * A small business site with known defects, served on loopback together with a second site that it links to. By hand:
 *
 *     node apps/seology/sample-site/serve.ts 8080
 */

import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Answer, Origins } from './page.ts'
import { respond, respondExternal } from './site.ts'

export interface SampleSite {
  /** With a final slash. */
  url: string
  /** The other site's, with a final slash. */
  externalUrl: string
  close(): Promise<void>
}

export interface SampleSiteOptions {
  /** 0, the default, takes a free one. The other site always does. */
  port?: number
  host?: string
}

export async function startSampleSite({
  port = 0,
  host = '127.0.0.1',
}: SampleSiteOptions = {}): Promise<SampleSite> {
  const other = await listen(
    answering(({ pathname }) => respondExternal(pathname)),
    0,
    host,
  )
  const origins: Origins = { own: '', external: originOf(other, host) }
  const server = await listen(
    answering(async url => {
      const { answer, delayMs } = respond(url, origins)
      if (delayMs > 0) await sleep(delayMs)
      return answer
    }),
    port,
    host,
  ).catch(async (error: unknown) => {
    await close(other)
    throw error
  })
  origins.own = originOf(server, host)
  return {
    url: `${origins.own}/`,
    externalUrl: `${origins.external}/`,
    close: async () => {
      await Promise.all([close(server), close(other)])
    },
  }
}

function answering(answerTo: (url: URL) => Answer | Promise<Answer>): RequestListener {
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://site.invalid')
    const known = request.method === 'GET' || request.method === 'HEAD'
    const { status, headers, body } = known ? await answerTo(url) : { status: 405, headers: {}, body: '' }
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
}

function listen(listener: RequestListener, port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(listener)
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}

function originOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const site = await startSampleSite({ port: Number(process.argv[2] ?? 0) })
  console.log(`${site.url} (and ${site.externalUrl})`)
}
