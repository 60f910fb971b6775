import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Cut, type Fate, Link, type LinkHost, type Request } from './cut-link.ts'

/**
 * Stands between an engine and its server and does what a bad network does: swallows an answer and cuts the connection,
 * falls silent, loses notifications. Everything else passes as it is.
 */
export class CutProxy implements LinkHost {
  /** Asked once for each request, when it is whole and before any of it is passed on. */
  decide: (request: Request) => Fate = () => 'pass'
  losesNotifications = false
  lostNotifications = 0
  /** Replies that were dropped, of requests that succeeded. */
  readonly cuts: Cut[] = []
  /** Replies that were dropped, of requests that had failed. */
  failedCuts = 0
  readonly #links = new Set<Link>()
  readonly #server: Server
  readonly #serverPort: number
  #connections = 0

  private constructor(server: Server, serverPort: number) {
    this.#server = server
    this.#serverPort = serverPort
    server.on('connection', client => this.#accept(client))
  }

  static start(serverPort: number): Promise<CutProxy> {
    return new Promise((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => resolve(new CutProxy(server, serverPort)))
    })
  }

  get connections(): number {
    return this.#links.size
  }

  /** Every connection that was ever made through it. */
  get accepted(): number {
    return this.#connections
  }

  /** The way through this proxy to where `url` leads. */
  url(url: string): string {
    const through = new URL(url)
    const address = this.#server.address()
    through.port = String(typeof address === 'object' ? address?.port : '')
    return through.href
  }

  /** No byte passes any more on the connections that there are, and none of them is closed. New ones work. */
  blackHole(): number {
    for (const link of this.#links) link.freeze()
    return this.#links.size
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const link of [...this.#links]) link.end()
    await closed
  }

  #accept(client: Socket): void {
    const server = connect(this.#serverPort, '127.0.0.1')
    this.#links.add(new Link(this, ++this.#connections, client, server))
  }

  gone(link: Link): void {
    this.#links.delete(link)
  }

  cut(cut: Cut, failed: boolean): void {
    if (failed) this.failedCuts++
    else this.cuts.push(cut)
  }

  losesNotification(): boolean {
    if (this.losesNotifications) this.lostNotifications++
    return this.losesNotifications
  }
}
