import { type CallOptions, checkNumber, type Secret, type Settings } from './options.ts'
import { invalid, MillraceProblem } from './problem.ts'
import type { Wire } from './request.ts'
import { isPassing, mayBeDone, pause, timerMs, waitMsAfter } from './retry.ts'

/** What a try is given besides the call itself. */
interface Try {
  headers: Record<string, string>
  signal: AbortSignal | undefined
  timeoutMs: number
}

const usualTimeoutMs = 30_000

/** Sends calls: who asks, how long a try may take, how often it is repeated. */
export class Transport {
  readonly settings: Settings

  constructor(settings: Settings) {
    this.settings = settings
  }

  /**
   * Tries until `read` has something to answer, as often as the settings and the call allow. `read` says what an answer means;
   * a problem that it throws may be worth another try, too. It is told whether an earlier try may have done the work.
   */
  async send<Answer>(
    wire: Wire,
    options: CallOptions,
    read: (response: Response, perhapsDone: boolean) => Promise<Answer>,
  ): Promise<Answer> {
    const { retries = this.settings.retries, timeoutMs = this.#timeoutMs(wire), signal } = options
    checkNumber('retries', retries, 0)
    checkNumber('timeoutMs', timeoutMs, 1)
    let perhapsDone = false
    for (let tries = 1; ; tries++)
      try {
        const headers = await this.headers(wire)
        return await this.#within({ headers, signal, timeoutMs }, async of => {
          const response = await this.fetch(wire, of)
          return read(response, perhapsDone)
        })
      } catch (error) {
        if (!wire.repeatable || tries > retries || !isPassing(error)) throw error
        perhapsDone ||= mayBeDone(error)
        await pause(waitMsAfter(tries, error.retryAfterMs), signal)
      }
  }

  #timeoutMs({ lasting }: Wire): number {
    return this.settings.timeoutMs ?? (lasting ? Number.POSITIVE_INFINITY : usualTimeoutMs)
  }

  /** One request. Throws `unreachable` when nothing comes back. */
  async fetch({ method, path, body }: Wire, { headers, signal }: Omit<Try, 'timeoutMs'>): Promise<Response> {
    const init: RequestInit = { method, headers, redirect: 'manual', ...(signal ? { signal } : {}) }
    if (body !== null) init.body = body
    const { url, fetch } = this.settings
    try {
      return await fetch(url + path, init)
    } catch (cause) {
      if (signal?.aborted) throw signal.reason
      throw unreachable(url, cause)
    }
  }

  async headers(wire: Wire): Promise<Record<string, string>> {
    const { token, apiKey } = this.settings
    const headers: Record<string, string> = { accept: 'application/json', ...wire.headers }
    if (token !== null) headers.authorization = `Bearer ${await readSecret(token)}`
    if (apiKey !== null) headers['x-api-key'] = await readSecret(apiKey)
    for (const [name, value] of Object.entries(headers)) checkHeader(name, value)
    return headers
  }

  /** Runs a try to its end or to its deadline, the reading of the answer included. */
  async #within<Answer>(of: Try, run: (of: Try) => Promise<Answer>): Promise<Answer> {
    const { signal, timeoutMs } = of
    signal?.throwIfAborted()
    const controller = new AbortController()
    const stop = (): void => controller.abort(signal?.reason)
    const timer = setTimeout(() => controller.abort(timedOut(timeoutMs)), timerMs(timeoutMs))
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await run({ ...of, signal: controller.signal })
    } catch (error) {
      // What a body that is cut off fails with differs from platform to platform.
      if (controller.signal.aborted) throw controller.signal.reason
      if (error instanceof MillraceProblem) throw error
      throw unreachable(this.settings.url, error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }
}

function unreachable(url: string, cause: unknown): MillraceProblem {
  return new MillraceProblem('unreachable', `No answer came from ${url}.`, { cause })
}

function timedOut(timeoutMs: number): MillraceProblem {
  return new MillraceProblem('timed-out', `No answer came within ${timeoutMs} ms.`)
}

async function readSecret(secret: Secret): Promise<string> {
  return typeof secret === 'string' ? secret : secret()
}

/** Else `fetch` would refuse it in a way that looks like a network that is down. */
function checkHeader(name: string, value: string): void {
  if (!/^[\t\x20-\x7e]*$/.test(value) || value === 'Bearer ')
    throw invalid(`What is sent as ${name} must be printable ASCII characters, and not empty.`)
}
