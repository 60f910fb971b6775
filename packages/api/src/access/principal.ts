import { type Role, roles } from '../contract/permission.ts'

/** Who asks. */
export interface Principal {
  /** What the audit log says: `admin#1`, a user's id. Never a secret. */
  name: string
  role: Role
  /** Sees and touches only what belongs to this tenant. Null: everything. A `user` has one. */
  tenant: string | null
}

/** What an application answers may be wrong: it must not let anybody see more than was meant. Throws when it is. */
export function checkPrincipal(principal: Principal): Principal {
  const { name, role, tenant } = principal
  if (typeof name !== 'string' || name === '') throw wrong('a name that is no text')
  if (!roles.includes(role)) throw wrong(`a role that is none of ${roles.join(', ')}`)
  if (tenant !== null && (typeof tenant !== 'string' || tenant === ''))
    throw wrong('a tenant that is neither text nor null')
  if (role === 'user' && tenant === null) throw wrong('a user without a tenant, who would see everything')
  return { name, role, tenant }
}

function wrong(what: string): TypeError {
  return new TypeError(`authenticate answered ${what}`)
}
