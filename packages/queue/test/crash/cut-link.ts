import type { Socket } from 'node:net'
import { Framer, isPartOfRequest, type Message, openingOf, RequestReader, textAt } from './wire.ts'

/**
 * `drop-reply`: it is carried out, and instead of the answer comes the end. `drop-request`: it never arrives.
 * `silence`: it never arrives either, and from then on no connection carries anything.
 */
export type Fate = 'pass' | 'drop-reply' | 'drop-request' | 'silence'

export interface Request {
  sql: string[]
  /** Counted from 1 for each proxy. */
  connection: number
}

/** A request that the server carried out, and whose client heard nothing of it. */
export interface Cut {
  sql: string[]
  /** `INSERT 0 1`, `COMMIT` …: what the server answered. */
  tags: string[]
  /** Whether the server had left the transaction behind by then. */
  committed: boolean
}

export interface LinkHost {
  readonly decide: (request: Request) => Fate
  gone(link: Link): void
  blackHole(): void
  cut(cut: Cut, failed: boolean): void
  losesNotification(): boolean
}

/** What the server still owes an answer to. */
interface Outstanding {
  sql: string[]
  drop: boolean
  tags: string[]
  failed: boolean
}

/** One connection through the proxy. */
export class Link {
  readonly #host: LinkHost
  readonly #number: number
  readonly #client: Socket
  readonly #server: Socket
  readonly #fromClient = new Framer({ typed: false })
  readonly #fromServer = new Framer({ typed: true })
  readonly #requests = new RequestReader()
  /** Messages of a request that is not whole yet. */
  #held: Buffer[] = []
  #outstanding: Outstanding[] = []
  #frozen = false
  #ended = false

  constructor(host: LinkHost, number: number, client: Socket, server: Socket) {
    this.#host = host
    this.#number = number
    this.#client = client
    this.#server = server
    client.on('data', bytes => this.#hearClient(bytes))
    server.on('data', bytes => this.#hearServer(bytes))
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.on('drain', () => this.#frozen || other.resume())
      // An end is passed on after what came before it.
      socket.on('end', () => this.#frozen || other.end())
      socket.on('close', () => this.#frozen || this.end())
    }
  }

  freeze(): void {
    this.#frozen = true
    this.#client.pause()
    this.#server.pause()
  }

  /** The server hears an ordinary end; the client is thrown out in one of the two ways that networks have. */
  end(how: 'end' | 'reset' = 'end'): void {
    if (this.#ended) return
    this.#ended = true
    this.#server.destroy()
    if (how === 'reset') this.#client.resetAndDestroy()
    else this.#client.destroy()
    this.#host.gone(this)
  }

  #hearClient(bytes: Buffer): void {
    const out: Buffer[] = []
    for (const message of this.#fromClient.push(bytes)) {
      if (this.#ended || this.#frozen) return
      if (message.type === '') this.#open(message, out)
      else if (isPartOfRequest(message.type)) this.#ask(message, out)
      else out.push(...this.#held.splice(0), message.raw)
    }
    this.#send(this.#server, this.#client, out)
  }

  #open(message: Message, out: Buffer[]): void {
    const opening = openingOf(message)
    if (opening === 'encrypt') {
      this.#client.write('N')
      return
    }
    out.push(message.raw)
    if (opening === 'cancel') return
    this.#fromClient.startTyped()
    // The greeting ends with a ReadyForQuery too.
    this.#outstanding.push({ sql: [], drop: false, tags: [], failed: false })
  }

  #ask(message: Message, out: Buffer[]): void {
    this.#held.push(message.raw)
    const sql = this.#requests.read(message)
    if (sql === null) return
    const fate = this.#host.decide({ sql, connection: this.#number })
    if (fate === 'drop-request') return this.end('reset')
    if (fate === 'silence') return this.#host.blackHole()
    out.push(...this.#held.splice(0))
    this.#outstanding.push({ sql, drop: fate === 'drop-reply', tags: [], failed: false })
  }

  #hearServer(bytes: Buffer): void {
    const out: Buffer[] = []
    for (const message of this.#fromServer.push(bytes)) {
      if (message.type === 'A' && this.#host.losesNotification()) continue
      const current = this.#outstanding[0]
      if (!current?.drop) out.push(message.raw)
      if (!current) continue
      if (message.type === 'C') current.tags.push(textAt(message.body, 0))
      if (message.type === 'E') current.failed = true
      if (message.type !== 'Z') continue
      this.#outstanding.shift()
      if (!current.drop) continue
      this.#send(this.#client, this.#server, out)
      return this.#cut(current, String.fromCharCode(message.body[0] as number))
    }
    this.#send(this.#client, this.#server, out)
  }

  #cut({ sql, tags, failed }: Outstanding, status: string): void {
    this.#host.cut({ sql, tags, committed: status === 'I' }, failed)
    this.end(this.#number % 2 === 0 ? 'end' : 'reset')
  }

  #send(to: Socket, from: Socket, out: Buffer[]): void {
    if (out.length === 0 || this.#ended || this.#frozen) return
    if (!to.write(out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out))) from.pause()
  }
}
