/** What somebody may be, from outside. */
export const roles = ['viewer', 'operator', 'admin', 'user', 'processor', 'cron'] as const
export type Role = (typeof roles)[number]

/**
 * Who may do what. `user` is one of the application's own people and sees only the jobs of their tenant; `processor` and
 * `cron` are machines that make work go on.
 */
export const permissions = {
  'jobs:read': ['viewer', 'operator', 'admin', 'user'],
  'jobs:enqueue': ['operator', 'admin', 'user'],
  'jobs:change': ['operator', 'admin', 'user'],
  'jobs:remove': ['admin', 'user'],
  'jobs:bulk': ['operator', 'admin'],
  'queues:read': ['viewer', 'operator', 'admin'],
  'queues:change': ['operator', 'admin'],
  'types:read': ['viewer', 'operator', 'admin', 'user'],
  'schedules:read': ['viewer', 'operator', 'admin'],
  'schedules:run': ['operator', 'admin'],
  'schedules:change': ['admin'],
  'workers:read': ['viewer', 'operator', 'admin'],
  'stats:read': ['viewer', 'operator', 'admin'],
  'metrics:read': ['viewer', 'operator', 'admin'],
  'events:read': ['viewer', 'operator', 'admin', 'user'],
  'audit:read': ['admin'],
  drain: ['admin', 'processor', 'cron'],
  'drain:read': ['viewer', 'operator', 'admin', 'processor', 'cron'],
  'modules:read': ['viewer', 'operator', 'admin'],
  'modules:change': ['operator', 'admin'],
  session: ['viewer', 'operator', 'admin', 'user', 'processor', 'cron'],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof permissions

export function may(role: Role, permission: Permission): boolean {
  return (permissions[permission] as readonly Role[]).includes(role)
}

/** What handlers confine to the tenant of whoever asks. The rest shows or changes what all tenants share. */
const confined = new Set<Permission>([
  'jobs:read',
  'jobs:enqueue',
  'jobs:change',
  'jobs:remove',
  'jobs:bulk',
  'types:read',
  'schedules:read',
  'schedules:run',
  'schedules:change',
  'events:read',
  'session',
])

/** As `may`, for one who may belong to a tenant: staff of a tenant do within it what their role allows, and nothing beyond. */
export function allowed(
  { role, tenant }: { role: Role; tenant: string | null },
  permission: Permission,
): boolean {
  return may(role, permission) && (tenant === null || confined.has(permission))
}
