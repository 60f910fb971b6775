import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from 'jose'
import { QueueError } from 'millrace'
import { type Role, roles } from '../contract/permission.ts'
import { Problem } from '../problem.ts'
import type { JwtOptions } from './options.ts'
import type { Principal } from './principal.ts'

const symmetric = ['HS256', 'HS384', 'HS512']
const asymmetric = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const staff: readonly Role[] = ['viewer', 'operator', 'admin']

/** Whom a credential names, and until when. */
export interface Known {
  principal: Principal
  /** Null: as long as the server knows it. */
  expiresAt: number | null
}

/** Reads whom a signed token names. Throws `unauthorized` for one that is forged, expired or meant for others. */
export function jwtReader(options: JwtOptions, now: () => number): (token: string) => Promise<Known> {
  const { algorithms, verify } = keyOf(options)
  const { issuer, audience } = options
  return async token => {
    try {
      const { payload } = await verify(token, {
        algorithms,
        // One that never ends could never be taken back.
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now()),
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      })
      return { principal: principalOf(payload, options), expiresAt: (payload.exp as number) * 1_000 }
    } catch (error) {
      if (isOutage(error))
        throw new QueueError('unavailable', 'the keys of the JWT issuer can not be fetched', { cause: error })
      if (error instanceof errors.JOSEError)
        throw new Problem('unauthorized', refusal(error), {
          headers: { 'www-authenticate': 'Bearer realm="millrace", error="invalid_token"' },
        })
      throw error
    }
  }
}

type Verify = (token: string, options: Parameters<typeof jwtVerify>[2]) => Promise<{ payload: JWTPayload }>

function keyOf({ secret, jwksUrl, jwks }: JwtOptions): { algorithms: string[]; verify: Verify } {
  if ([secret, jwksUrl, jwks].filter(each => each !== undefined).length !== 1)
    throw new QueueError('invalid-argument', 'jwt needs exactly one of secret, jwksUrl and jwks')
  if (secret !== undefined) {
    if (secret.length < 32)
      throw new QueueError(
        'invalid-argument',
        'the JWT secret must be at least 32 characters, or it can be guessed',
      )
    const key = new TextEncoder().encode(secret)
    return { algorithms: symmetric, verify: (token, options) => jwtVerify(token, key, options) }
  }
  const keys: JWTVerifyGetKey = jwks
    ? createLocalJWKSet(jwks)
    : createRemoteJWKSet(new URL(jwksUrl as string), { timeoutDuration: 5_000 })
  return { algorithms: asymmetric, verify: (token, options) => jwtVerify(token, keys, options) }
}

function principalOf(
  payload: JWTPayload,
  { tenantClaim = 'tenant', roleClaim = 'millrace_role' }: JwtOptions,
): Principal {
  const name = textOf(payload.sub, 'sub')
  const said = payload[roleClaim]
  const role = roles.find(each => each === said) ?? 'user'
  const tenant = payload[tenantClaim]
  if (staff.includes(role))
    return { name, role, tenant: tenant === undefined ? null : textOf(tenant, tenantClaim) }
  return { name, role: 'user', tenant: tenant === undefined ? name : textOf(tenant, tenantClaim) }
}

function textOf(value: unknown, claim: string): string {
  if (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= 200 &&
    value.isWellFormed() &&
    !value.includes('\0')
  )
    return value
  throw new Problem('unauthorized', `The claim ${claim} of the token must be text of 1 to 200 characters.`)
}

function refusal(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired; get a new one.'
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The token is not meant for this: its claim ${error.claim} is ${error.reason}.`
  return 'The token is not one that this server accepts.'
}

/** The keys did not come, or what came is no set of keys. What `fetch` fails with is not of jose's kinds. */
function isOutage(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC')
  )
}
