import type { EventDocument } from '@millrace/api'

export interface Heard {
  id: number
  event: string
  data: EventDocument
}

/** A client of the event stream that reads as browsers do, and can be cut. */
export class EventReader implements AsyncDisposable {
  readonly response: Response
  readonly heard: Heard[] = []
  readonly ended: Promise<void>
  /** The last that was said, with an event or without. */
  last = 0
  readonly #cut: AbortController
  #wake = Promise.withResolvers<void>()

  private constructor(response: Response, cut: AbortController) {
    this.response = response
    this.#cut = cut
    this.ended = this.#read().catch(() => {})
  }

  static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
    const cut = new AbortController()
    return new EventReader(await fetch(url, { headers, signal: cut.signal }), cut)
  }

  async #read(): Promise<void> {
    let text = ''
    for await (const chunk of (this.response.body as ReadableStream<Uint8Array>).pipeThrough(
      new TextDecoderStream(),
    )) {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) this.#hear(block)
    }
  }

  #hear(block: string): void {
    const fields = Object.fromEntries(
      block.split('\n').map(line => line.split(/: (.*)/s, 2) as [string, string]),
    )
    if (fields.id !== undefined) this.last = Number(fields.id)
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
    if (fields.data === undefined) return
    this.heard.push({
      id: Number(fields.id),
      event: fields.event ?? '',
      data: JSON.parse(fields.data) as EventDocument,
    })
  }

  /** Resolves when what has been heard is enough. */
  async until(enough: (heard: readonly Heard[]) => boolean): Promise<void> {
    while (!enough(this.heard)) await this.#wake.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cut.abort()
    await this.ended
  }
}
