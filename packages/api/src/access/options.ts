import type { JSONWebKeySet } from 'jose'
import { QueueError } from 'millrace'
import type { Principal } from './principal.ts'

/** Who may come in. What is not set is closed. */
export interface AccessOptions {
  /** May do everything. Several, so that one can be rotated in before the other goes. `ADMIN_TOKEN` */
  adminTokens?: readonly string[]
  /** May read, and act on jobs, queues and schedules. `OPERATOR_TOKEN` */
  operatorTokens?: readonly string[]
  /** May read. `VIEWER_TOKEN` */
  viewerTokens?: readonly string[]
  /** For `x-api-key`: may drain. `JOB_PROCESSOR_API_KEY` */
  processorKeys?: readonly string[]
  /** For `Authorization: Bearer` or `x-api-key`: may drain. `CRON_SECRET` */
  cronSecrets?: readonly string[]
  /** The application's own people, by a signed token. */
  jwt?: JwtOptions
  /**
   * The application's own people, by whatever it knows them by. Asked when nothing else has recognised the request. Null:
   * nobody. What it throws is a 500, and lets nobody in.
   */
  authenticate?: (request: Request) => Principal | null | Promise<Principal | null>
  /**
   * Signs the sessions of browsers. Default: derived from the admin tokens, so rotating them ends all sessions. Taking any
   * other token away ends the sessions that were given for it.
   */
  sessionSecret?: string
  /** Default 12 hours. */
  sessionMs?: number
  /** Where browsers see this server, when a proxy stands before it: `https://jobs.example.com`. */
  publicUrl?: string
  /** How many proxies of one's own append to X-Forwarded-For. Default 0: the header is not believed. */
  trustedProxies?: number
  rateLimits?: RateLimits
}

export interface JwtOptions {
  /** For HS256, HS384, HS512. At least 32 characters. */
  secret?: string
  /** Where the public keys are. */
  jwksUrl?: string
  /** The public keys themselves. */
  jwks?: JSONWebKeySet
  issuer?: string | string[]
  audience?: string | string[]
  /** The claim that names the tenant. Default `tenant`; without it the `sub` is the tenant. */
  tenantClaim?: string
  /**
   * The claim that names the role. Default `millrace_role`, a name that nobody uses by chance. Without it, or with a value
   * that is no role, its bearer is a `user`.
   */
  roleClaim?: string
}

export interface RateLimit {
  requests: number
  perMs: number
}

/** Each is counted in this process. `null`: no limit. */
export interface RateLimits {
  /** Of each user. Default 1,200 a minute. */
  user?: RateLimit | null
  /** Of each token or key of one's own. Default: none. */
  staff?: RateLimit | null
  /** Of each address. Default: none. */
  address?: RateLimit | null
  /** Wrong credentials from one address, after which none from there are looked at. Default 60 a minute. */
  failures?: RateLimit | null
}

/** Throws `invalid-argument` for what would otherwise fail with the first request, or open more than was meant. */
export function checkOptions({ publicUrl, trustedProxies = 0, sessionMs = 1 }: AccessOptions): void {
  if (publicUrl !== undefined && !/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? ''))
    refuse(`publicUrl must be like https://jobs.example.com, not ${JSON.stringify(publicUrl)}`)
  if (!Number.isInteger(trustedProxies) || trustedProxies < 0)
    refuse(`trustedProxies must be how many proxies of your own there are, 0 or more, not ${trustedProxies}`)
  if (!Number.isFinite(sessionMs) || sessionMs <= 0)
    refuse(`sessionMs must be more than 0 milliseconds, not ${sessionMs}`)
}

function refuse(why: string): never {
  throw new QueueError('invalid-argument', why)
}
