import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Problem } from '../problem.ts'
import type { Principal } from './principal.ts'
import type { RateLimit, RateLimits } from './options.ts'

const minuteMs = 60_000

/** Counts requests in this process and refuses what is too much, saying when to come back. */
export class Limiter {
  readonly #user: RateLimiterMemory | null
  readonly #staff: RateLimiterMemory | null
  readonly #address: RateLimiterMemory | null
  readonly #failures: RateLimiterMemory | null

  constructor(limits: RateLimits = {}) {
    this.#user = limiter(limits.user, { requests: 1_200, perMs: minuteMs })
    this.#staff = limiter(limits.staff, null)
    this.#address = limiter(limits.address, null)
    this.#failures = limiter(limits.failures, { requests: 60, perMs: minuteMs })
  }

  async address(address: string | null): Promise<void> {
    if (address !== null) await take(this.#address, address, 'This address asks too often')
  }

  async principal({ role, name, tenant }: Principal): Promise<void> {
    const limiter = role === 'user' ? this.#user : this.#staff
    await take(limiter, `${role}\n${tenant}\n${name}`, 'Too many requests')
  }

  /** Before a secret is looked at, so that a guess which comes too late is not even tried. */
  async beforeCredentials(address: string | null): Promise<void> {
    if (address === null || this.#failures === null) return
    const state = await this.#failures.get(address)
    if (state && state.remainingPoints <= 0)
      throw tooMany('Too many wrong credentials came from this address', state.msBeforeNext)
  }

  async wrongCredentials(address: string | null): Promise<void> {
    if (address !== null) await this.#failures?.penalty(address)
  }
}

function limiter(limit: RateLimit | null | undefined, standard: RateLimit | null): RateLimiterMemory | null {
  const chosen = limit === undefined ? standard : limit
  return chosen && new RateLimiterMemory({ points: chosen.requests, duration: chosen.perMs / 1_000 })
}

async function take(limiter: RateLimiterMemory | null, key: string, what: string): Promise<void> {
  if (limiter === null) return
  try {
    await limiter.consume(key)
  } catch (refused) {
    if (refused instanceof RateLimiterRes) throw tooMany(what, refused.msBeforeNext)
    throw refused
  }
}

function tooMany(what: string, waitMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  return new Problem('rate-limited', `${what}. Try again in ${seconds} s.`, { retryAfterMs: waitMs })
}
