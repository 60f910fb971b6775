import { deleteCookie, setCookie } from 'hono/cookie'
import type { Access } from '../access/access.ts'
import type { Principal } from '../access/principal.ts'
import { type Session, sessionCookie } from '../access/session.ts'
import type { BorderContext } from '../border/context.ts'
import { type Route, route } from '../border/route.ts'
import { allowed, type Permission, permissions } from '../contract/permission.ts'
import { login, logout, whoAmI } from '../contract/session.ts'
import { formatInstant } from '../documents/index.ts'
import { Problem } from '../problem.ts'

export const loginRoutes: Route[] = [
  route(login, async ({ access, millrace, body, c, changed }) => {
    const { sessions } = access
    if (!sessions)
      throw new Problem(
        'not-configured',
        'No secret is set to sign sessions with. Start the server with MILLRACE_SESSION_SECRET or ADMIN_TOKEN set.',
      )
    // Such a page could log a browser in as somebody of its choice.
    access.refuseStrangePage(c)
    const { principal, expiresAt } = await access.login(c, body.token)
    const session = await sessions.begin(principal, body.token, expiresAt)
    setCookie(c, sessionCookie, session.value, {
      ...cookieOf(access, c),
      maxAge: Math.max(1, Math.floor((session.expiresAt - millrace.clock.now()) / 1_000)),
    })
    changed({ target: 'session', after: { name: principal.name, role: principal.role } })
    return { status: 201, body: sessionDocument(principal, session) }
  }),
]

export const sessionRoutes: Route[] = [
  route(whoAmI, ({ principal, c }) => ({
    status: 200,
    body: sessionDocument(principal, c.get('identity').session),
  })),

  route(logout, ({ access, principal, c, changed }) => {
    deleteCookie(c, sessionCookie, cookieOf(access, c))
    changed({ target: 'session', before: { name: principal.name } })
    return { status: 204, body: undefined }
  }),
]

function cookieOf(access: Access, c: BorderContext) {
  const secure = access.originOf(c).startsWith('https:')
  return { httpOnly: true, sameSite: 'Strict', path: '/', secure } as const
}

function sessionDocument(principal: Principal, session: Session | null) {
  const { name, role, tenant } = principal
  return {
    name,
    role,
    tenant,
    permissions: (Object.keys(permissions) as Permission[]).filter(each => allowed(principal, each)),
    csrfToken: session?.csrfToken ?? null,
    expiresAt: session ? formatInstant(session.expiresAt) : null,
  }
}
