import type { CallOptions } from './options.ts'
import { isMillraceProblem } from './problem.ts'

interface SessionDocument {
  csrfToken: string | null
}

/** Sends a change with these headers besides. */
type Send<Answer> = (headers: Record<string, string>) => Promise<Answer>

/** A browser's session, as far as a page knows it: the cookie itself is hidden from it. */
export class BrowserSession {
  #csrfToken: string | null = null
  readonly #whoAmI: (options: CallOptions) => Promise<SessionDocument>

  constructor(whoAmI: (options: CallOptions) => Promise<SessionDocument>) {
    this.#whoAmI = whoAmI
  }

  /**
   * Sends a change with the session's token. After a login by another page the token is another one: a change that is refused
   * is sent once more with that, for nothing of it was done.
   */
  async prove<Answer>(call: CallOptions, send: Send<Answer>): Promise<Answer> {
    const token = await this.#token(call)
    try {
      return await send(headersOf(token))
    } catch (error) {
      if (!isMillraceProblem(error, 'forbidden')) throw error
      const renewed = await this.#renewed(token, call)
      if (renewed === token) throw error
      return send(headersOf(renewed))
    }
  }

  /** Of a session that began before this page was loaded, the server is asked. */
  async #token({ signal, timeoutMs, retries }: CallOptions): Promise<string | null> {
    this.#csrfToken ??= (
      await this.#whoAmI({
        ...(signal ? { signal } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(retries === undefined ? {} : { retries }),
      })
    ).csrfToken
    return this.#csrfToken
  }

  /** The token in place of one that was refused; the same one where the server can't tell another. */
  async #renewed(refused: string | null, call: CallOptions): Promise<string | null> {
    // Another call may have learnt it meanwhile.
    if (this.#csrfToken === refused) this.#csrfToken = null
    try {
      return await this.#token(call)
    } catch {
      call.signal?.throwIfAborted()
      return refused
    }
  }

  /** Learns from what the server has answered. */
  notice(id: string, body: unknown): void {
    if (id === 'login' || id === 'whoAmI') ({ csrfToken: this.#csrfToken } = body as SessionDocument)
    if (id === 'logout') this.#csrfToken = null
  }
}

function headersOf(csrfToken: string | null): Record<string, string> {
  return csrfToken ? { 'x-csrf-token': csrfToken } : {}
}
