import { createHash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { type Role, roles } from '../contract/permission.ts'
import type { Principal } from './principal.ts'
import { mark, type Secrets } from './secrets.ts'

export interface Session {
  principal: Principal
  /** What a browser must say with every change, beside the cookie that it sends by itself. */
  csrfToken: string
  expiresAt: number
}

export interface SessionsOptions {
  secret: string
  /** A session that was given for one of these ends when it is no more among them. */
  bearers: Secrets
  lastsMs: number
  now: () => number
}

const issuer = 'millrace/session'
export const sessionCookie = 'millrace_session'

/**
 * Sessions of browsers: a signed value in a cookie, nothing in the store. One ends by its time, by the end of the token that
 * it was given for, or by the browser forgetting it; all of them end by another secret.
 */
export class Sessions {
  readonly #key: Uint8Array
  readonly #lastsMs: number
  readonly #now: () => number
  readonly #marks: Set<string>

  constructor({ secret, bearers, lastsMs, now }: SessionsOptions) {
    // Slow on purpose: whoever has a cookie could otherwise try words for the secret, and so for the admin's token, at home.
    this.#key = scryptSync(secret, 'millrace session', 32)
    this.#lastsMs = lastsMs
    this.#now = now
    this.#marks = bearers.marks(this.#key)
  }

  /** A session for whom `token` stands for, no longer than until `endsAt`. */
  async begin(
    principal: Principal,
    token: string,
    endsAt: number | null,
  ): Promise<Session & { value: string }> {
    const csrfToken = randomBytes(24).toString('base64url')
    const expiresAt = Math.min(this.#now() + this.#lastsMs, endsAt ?? Number.POSITIVE_INFINITY)
    const { name, role, tenant } = principal
    const of = mark(token, this.#key)
    const via = this.#marks.has(of) ? { via: of } : {}
    const value = await new SignJWT({ role, tenant, csrf: csrfToken, ...via })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(issuer)
      .setSubject(name)
      .setExpirationTime(Math.floor(expiresAt / 1_000))
      .sign(this.#key)
    return { principal, csrfToken, expiresAt, value }
  }

  /** Null for a value that is not a session, or not any more. */
  async read(value: string): Promise<Session | null> {
    try {
      const { payload } = await jwtVerify(value, this.#key, {
        algorithms: ['HS256'],
        issuer,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(this.#now()),
      })
      if (payload.via !== undefined && !this.#marks.has(payload.via as string)) return null
      const role = roles.find(each => each === payload.role) as Role
      const tenant = typeof payload.tenant === 'string' ? payload.tenant : null
      return {
        principal: { name: payload.sub as string, role, tenant },
        csrfToken: payload.csrf as string,
        expiresAt: (payload.exp as number) * 1_000,
      }
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }
}

/** In time that tells nothing about where they differ. */
export function sameText(a: string, b: string): boolean {
  const [first, second] = [a, b].map(each => createHash('sha256').update(each).digest()) as [Buffer, Buffer]
  return timingSafeEqual(first, second)
}
