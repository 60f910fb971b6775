import type { CallOptions } from './options.ts'

interface SessionDocument {
  csrfToken: string | null
}

/** A browser's session, as far as a page knows it: the cookie itself is hidden from it. */
export class BrowserSession {
  #csrfToken: string | null = null
  readonly #whoAmI: (options: CallOptions) => Promise<SessionDocument>

  constructor(whoAmI: (options: CallOptions) => Promise<SessionDocument>) {
    this.#whoAmI = whoAmI
  }

  /** What must stand beside a change. Of a session that began before this page was loaded, the server is asked. */
  async tokenFor(
    id: string,
    method: string,
    { signal, timeoutMs, retries }: CallOptions,
  ): Promise<string | null> {
    if (method === 'GET' || id === 'login') return null
    this.#csrfToken ??= (
      await this.#whoAmI({
        ...(signal ? { signal } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(retries === undefined ? {} : { retries }),
      })
    ).csrfToken
    return this.#csrfToken
  }

  /** Learns from what the server has answered. */
  notice(id: string, body: unknown): void {
    if (id === 'login' || id === 'whoAmI') ({ csrfToken: this.#csrfToken } = body as SessionDocument)
    if (id === 'logout') this.#csrfToken = null
  }
}
