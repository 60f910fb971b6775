/** Requests that no HTTP client would send, byte by byte. */

import { connect } from 'node:net'

interface Announced {
  method: string
  path: string
  headers?: Record<string, string>
}

/** Announces a body of a megabyte, sends none of it, and resolves with what is answered nevertheless. */
export function answerWithoutBody(url: string, { method, path, headers = {} }: Announced): Promise<string> {
  const lines = Object.entries({
    host: new URL(url).host,
    'content-type': 'application/json',
    'content-length': '1000000',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return answerTo(url, `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/** The first bytes that come back; '' when the connection is closed without a word. */
export function answerTo(url: string, bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.once('data', data => {
      socket.destroy()
      resolve(data.toString('latin1'))
    })
    socket.once('end', () => resolve(''))
    socket.once('error', reject)
  })
}
