import type { AccessOptions, JwtOptions } from './options.ts'

/** Lists are written with commas, for rotation: `ADMIN_TOKEN=new,old`. */
function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '')
}

function jwtOf(env: NodeJS.ProcessEnv): JwtOptions | undefined {
  const { MILLRACE_JWT_SECRET: secret, MILLRACE_JWKS_URL: jwksUrl } = env
  if (!secret && !jwksUrl) return undefined
  const [issuer, audience] = [env.MILLRACE_JWT_ISSUER, env.MILLRACE_JWT_AUDIENCE]
  return {
    ...(secret ? { secret } : {}),
    ...(jwksUrl ? { jwksUrl } : {}),
    ...(issuer ? { issuer } : {}),
    ...(audience ? { audience } : {}),
  }
}

/**
 * What the environment says: `ADMIN_TOKEN`, `OPERATOR_TOKEN`, `VIEWER_TOKEN`, `JOB_PROCESSOR_API_KEY`, `CRON_SECRET` (each
 * may list several, with commas), `MILLRACE_JWT_SECRET` or `MILLRACE_JWKS_URL` with `MILLRACE_JWT_ISSUER` and
 * `MILLRACE_JWT_AUDIENCE`, `MILLRACE_SESSION_SECRET`, `MILLRACE_PUBLIC_URL`, `MILLRACE_TRUSTED_PROXIES`.
 */
export function accessFromEnvironment(env: NodeJS.ProcessEnv = process.env): AccessOptions {
  const jwt = jwtOf(env)
  const { MILLRACE_SESSION_SECRET: sessionSecret, MILLRACE_PUBLIC_URL: publicUrl } = env
  return {
    adminTokens: list(env.ADMIN_TOKEN),
    operatorTokens: list(env.OPERATOR_TOKEN),
    viewerTokens: list(env.VIEWER_TOKEN),
    processorKeys: list(env.JOB_PROCESSOR_API_KEY),
    cronSecrets: list(env.CRON_SECRET),
    trustedProxies: Number(env.MILLRACE_TRUSTED_PROXIES || 0),
    ...(jwt ? { jwt } : {}),
    ...(sessionSecret ? { sessionSecret } : {}),
    ...(publicUrl ? { publicUrl } : {}),
  }
}
