import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { Problem } from '../problem.ts'
import { addressOf, originOf } from './address.ts'
import { jwtReader, type Known } from './jwt.ts'
import { type AccessOptions, checkOptions } from './options.ts'
import { checkPrincipal, type Principal } from './principal.ts'
import { Limiter } from './rate-limits.ts'
import { Secrets } from './secrets.ts'
import { type Session, sessionCookie, Sessions, sameText } from './session.ts'

const realm = 'Bearer realm="millrace"'
const twelveHoursMs = 12 * 3_600_000
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface Identity {
  principal: Principal
  /** When a browser's cookie told it. */
  session: Session | null
}

/** Finds out who asks. Nothing that is not set up lets anybody in. */
export class Access {
  readonly sessions: Sessions | null
  readonly #options: AccessOptions
  readonly #bearers: Secrets
  readonly #keys: Secrets
  readonly #readJwt: ((token: string) => Promise<Known>) | null
  readonly #limiter: Limiter

  constructor(options: AccessOptions, now: () => number) {
    checkOptions(options)
    this.#options = options
    this.#bearers = new Secrets()
      .add('admin', options.adminTokens)
      .add('operator', options.operatorTokens)
      .add('viewer', options.viewerTokens)
      .add('cron', options.cronSecrets)
    // The cron's secret too, for those behind a proxy that keeps Authorization to itself.
    this.#keys = new Secrets().add('processor', options.processorKeys).add('cron', options.cronSecrets)
    this.#readJwt = options.jwt ? jwtReader(options.jwt, now) : null
    this.#limiter = new Limiter(options.rateLimits)
    const secret = options.sessionSecret || options.adminTokens?.filter(Boolean).join('\n')
    const lastsMs = options.sessionMs ?? twelveHoursMs
    this.sessions = secret ? new Sessions({ secret, bearers: this.#bearers, lastsMs, now }) : null
  }

  addressOf(c: Context): string | null {
    return addressOf(c, this.#options.trustedProxies ?? 0)
  }

  originOf(c: Context): string {
    return originOf(c, this.#options)
  }

  /** Throws a `Problem` for credentials that are wrong; null when there are none. */
  async identify(c: Context): Promise<Identity | null> {
    return this.#limited(c, () => this.#look(c))
  }

  /** Whom a token stands for that was given to log in with. Throws a `Problem` when nobody. */
  async login(c: Context, token: string): Promise<Known> {
    return this.#limited(c, async () => (await this.#ofBearer(token)) ?? this.#wrong())
  }

  /** Throws when a browser says that a page of another origin made the request. What is no browser says nothing. */
  refuseStrangePage(c: Context): void {
    const origin = c.req.header('origin')
    const site = c.req.header('sec-fetch-site')
    // Who the page is the browser knows best: behind a proxy, this server may not know its own origin.
    const isStrange =
      site === undefined ? origin !== undefined && origin !== this.originOf(c) : site !== 'same-origin'
    if (isStrange) throw new Problem('forbidden', 'The request was made by a page of another origin.')
  }

  /** What to answer somebody who has not said who they are. */
  refusal(): Problem {
    if (this.#isClosed)
      return new Problem(
        'not-configured',
        'No secret is set, so nobody can come in. Start the server with ADMIN_TOKEN set.',
      )
    return new Problem(
      'unauthorized',
      'Say who you are: Authorization: Bearer <token>, or x-api-key: <key>.',
      {
        headers: { 'www-authenticate': realm },
      },
    )
  }

  get #isClosed(): boolean {
    return this.#bearers.isEmpty && this.#keys.isEmpty && !this.#readJwt && !this.#options.authenticate
  }

  /** Counts each look, and each that found wrong credentials; what is too much is refused before anything is looked at. */
  async #limited<Found extends { principal: Principal } | null>(
    c: Context,
    look: () => Promise<Found>,
  ): Promise<Found> {
    const address = this.addressOf(c)
    await this.#limiter.address(address)
    await this.#limiter.beforeCredentials(address)
    let found: Found
    try {
      found = await look()
    } catch (error) {
      if (error instanceof Problem && error.code === 'unauthorized')
        await this.#limiter.wrongCredentials(address)
      throw error
    }
    if (found) await this.#limiter.principal(found.principal)
    return found
  }

  async #look(c: Context): Promise<Identity | null> {
    const authorization = c.req.header('authorization')
    const key = c.req.header('x-api-key')
    const cookie = getCookie(c, sessionCookie)
    if (authorization)
      return (await this.#ofAuthorization(authorization)) ?? (await this.#ofCallback(c)) ?? this.#wrong()
    if (key) return this.#ofKey(key) ?? (await this.#ofCallback(c)) ?? this.#wrongKey()
    if (cookie && this.sessions) {
      const session = await this.sessions.read(cookie)
      if (session) return this.#checkBrowser(c, session)
    }
    return this.#ofCallback(c)
  }

  async #ofAuthorization(header: string): Promise<Identity | null> {
    if (this.#isClosed) throw this.refusal()
    const token = bearerToken(header)
    const known = token === null ? null : await this.#ofBearer(token)
    return known && { principal: known.principal, session: null }
  }

  /** Null: nobody here. Throws for a token that is forged or expired. */
  async #ofBearer(token: string): Promise<Known | null> {
    const principal = this.#bearers.find(token)
    if (principal) return { principal, expiresAt: null }
    const isJwt = token.split('.').length === 3
    return isJwt && this.#readJwt ? this.#readJwt(token) : null
  }

  #ofKey(key: string): Identity | null {
    const principal = this.#keys.find(key)
    return principal && { principal, session: null }
  }

  async #ofCallback(c: Context): Promise<Identity | null> {
    const principal = await this.#options.authenticate?.(c.req.raw)
    if (!principal) return null
    // It may know them by a cookie, and a form of any page can make a browser send that. No form sends the other two.
    const isDeliberate = isBearer(c.req.header('authorization')) || c.req.header('x-api-key') !== undefined
    if (!isDeliberate && !safeMethods.has(c.req.method)) this.refuseStrangePage(c)
    return { principal: checkPrincipal(principal), session: null }
  }

  #wrong(): never {
    throw new Problem('unauthorized', 'The token is not one that this server accepts.', {
      headers: { 'www-authenticate': `${realm}, error="invalid_token"` },
    })
  }

  #wrongKey(): never {
    if (this.#keys.isEmpty)
      throw new Problem(
        'not-configured',
        'No key is set for x-api-key. Start the server with JOB_PROCESSOR_API_KEY or CRON_SECRET set.',
      )
    throw new Problem('unauthorized', 'The key is not one that this server accepts.', {
      headers: { 'www-authenticate': realm },
    })
  }

  /** A cookie is sent by the browser itself, whoever made it ask; so a change must prove that a page of this origin did. */
  #checkBrowser(c: Context, session: Session): Identity {
    if (!safeMethods.has(c.req.method)) {
      if (c.req.header('origin') === undefined && c.req.header('sec-fetch-site') === undefined)
        throw new Problem('forbidden', 'The request does not say, by Origin, which page made it.')
      this.refuseStrangePage(c)
      if (!sameText(c.req.header('x-csrf-token') ?? '', session.csrfToken))
        throw new Problem('forbidden', 'Send the csrfToken of the session as x-csrf-token.')
    }
    return { principal: session.principal, session }
  }
}

/** A browser sends Basic by itself, once it knows it. */
function isBearer(authorization: string | undefined): boolean {
  return bearerToken(authorization) !== null
}

/** The token of `Authorization: Bearer …` (RFC 6750), or null. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? null
}
