/**
 * As much of PostgreSQL's wire protocol (version 3) as a proxy between client and server must know: where a message
 * ends, and what was asked up to the server's next ReadyForQuery.
 */

/** Cuts a stream of bytes into messages. The first ones of a client have no type byte. */
export class Framer {
  #pending: Buffer = Buffer.alloc(0)
  #typed: boolean

  constructor(options: { typed: boolean }) {
    this.#typed = options.typed
  }

  /** The client has introduced itself: from here on its messages have types. */
  startTyped(): void {
    this.#typed = true
  }

  /** One whole message at a time, as `startTyped` may be called between two. */
  *push(bytes: Buffer): Generator<Message> {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    for (;;) {
      const head = this.#typed ? 1 : 0
      if (this.#pending.length < head + 4) return
      const length = head + this.#pending.readInt32BE(head)
      if (this.#pending.length < length) return
      const raw = this.#pending.subarray(0, length)
      this.#pending = this.#pending.subarray(length)
      yield {
        type: head === 1 ? String.fromCharCode(raw[0] as number) : '',
        raw,
        body: raw.subarray(head + 4),
      }
    }
  }
}

export interface Message {
  /** '' for those without. */
  type: string
  raw: Buffer
  body: Buffer
}

export type Opening = 'start' | 'encrypt' | 'cancel'

/** What a message without a type asks for. */
export function openingOf({ body }: Message): Opening {
  const code = body.readInt32BE(0)
  if (code === 80_877_102) return 'cancel'
  return code === 80_877_103 || code === 80_877_104 ? 'encrypt' : 'start'
}

/** What a client asks for up to one ReadyForQuery: the texts of its statements, prepared ones included. */
export class RequestReader {
  readonly #prepared = new Map<string, string>()
  #sql: string[] = []

  /** The whole request when this message ends it, null before. */
  read({ type, body }: Message): string[] | null {
    if (type === 'Q') this.#sql.push(textAt(body, 0))
    if (type === 'P') {
      const name = textAt(body, 0)
      this.#prepared.set(name, textAt(body, Buffer.byteLength(name) + 1))
    }
    if (type === 'B') {
      const portal = textAt(body, 0)
      this.#sql.push(this.#prepared.get(textAt(body, Buffer.byteLength(portal) + 1)) ?? '')
    }
    // Query, Sync and FunctionCall: each is answered by one ReadyForQuery.
    if (type !== 'Q' && type !== 'S' && type !== 'F') return null
    const sql = this.#sql
    this.#sql = []
    return sql
  }
}

/** Whether a message is a part of a request, to be held back until the request is whole. */
export function isPartOfRequest(type: string): boolean {
  return 'PBDECQSF'.includes(type)
}

/** Up to the zero byte. */
export function textAt(body: Buffer, from: number): string {
  return body.toString('utf8', from, body.indexOf(0, from))
}
