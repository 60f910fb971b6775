import type { Principal } from '../access/principal.ts'
import { allowed, may, type Permission } from '../contract/permission.ts'
import { Problem } from '../problem.ts'

/** Throws `forbidden` unless they may, saying what is kept from whom. */
export function permit(principal: Principal, permission: Permission, what: string): void {
  if (allowed(principal, permission)) return
  const who = may(principal.role, permission) ? 'Who belongs to a tenant' : `The role ${principal.role}`
  throw new Problem('forbidden', `${who} may not do this: ${what}`)
}
