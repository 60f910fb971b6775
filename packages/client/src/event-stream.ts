/** A message of a `text/event-stream`, before its data is read. */
export interface RawEvent {
  /** The latest `id:` so far, to go on after it. */
  id: string
  event: string
  data: string
}

/** No event is as large; a stream without line ends would fill the memory. */
const mostCharacters = 2 ** 23

/** Reads an event stream (the WHATWG's standard) from pieces of its text that may end anywhere. */
export class EventStreamReader {
  /** What the server wants waited before a connection is made again, in milliseconds. */
  retryMs: number | null = null
  /** Where to go on after this connection: the id of the last block that is complete, though it had no data. */
  lastEventId: string
  #id: string
  #event = ''
  #data: string[] = []
  #size = 0
  #rest = ''
  #begun = false

  constructor(lastEventId: string) {
    this.lastEventId = lastEventId
    this.#id = lastEventId
  }

  /** The events that are complete with this piece. Throws a `RangeError` for one that is larger than 8 Mi characters. */
  *read(piece: string): Generator<RawEvent> {
    if (!this.#begun && piece !== '') {
      this.#begun = true
      if (piece.startsWith('\uFEFF')) piece = piece.slice(1)
    }
    const text = this.#rest + piece
    const end = /\r\n|\n|\r(?!$)/g
    let from = 0
    for (let match = end.exec(text); match; match = end.exec(text)) {
      const event = this.#line(text.slice(from, match.index))
      from = end.lastIndex
      if (event) yield event
    }
    this.#rest = text.slice(from)
    if (this.#rest.length + this.#size > mostCharacters) throw new RangeError('the event is too large')
  }

  #line(line: string): RawEvent | null {
    if (line === '') return this.#end()
    const colon = line.indexOf(':')
    if (colon === 0) return null
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (name === 'data') {
      this.#data.push(value)
      this.#size += value.length
    } else if (name === 'event') this.#event = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value)
    return null
  }

  #end(): RawEvent | null {
    const event = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') }
    const isEmpty = this.#data.length === 0
    this.lastEventId = this.#id
    this.#event = ''
    this.#data = []
    this.#size = 0
    return isEmpty ? null : event
  }
}
