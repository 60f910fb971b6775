/**
 * Who may do what, by address, written out by hand: the permissions in the sources are held against it, not the other way
 * round. The first row that fits counts. A new operation whose address fits no row needs one.
 */

type Who = 'viewer' | 'operator' | 'admin' | 'owner' | 'processor' | 'cron'

interface Row {
  methods: string
  path: RegExp
  who: readonly Who[] | 'everybody'
}

const staff: readonly Who[] = ['viewer', 'operator', 'admin']
const known: readonly Who[] = [...staff, 'owner', 'processor', 'cron']

const rows: readonly Row[] = [
  { methods: 'get', path: /^\/(health|ready)$/, who: 'everybody' },
  { methods: 'post', path: /^\/api\/v1\/session$/, who: 'everybody' },
  { methods: 'get delete', path: /^\/api\/v1\/session$/, who: known },

  { methods: 'post', path: /^\/api\/v1\/jobs\/bulk$/, who: ['operator', 'admin'] },
  { methods: 'get', path: /^\/api\/v1\/(jobs|flows)(\/|$)/, who: [...staff, 'owner'] },
  { methods: 'delete', path: /^\/api\/v1\/(jobs|flows)\/\{id\}$/, who: ['admin', 'owner'] },
  { methods: 'post patch', path: /^\/api\/v1\/(jobs|flows)(\/|$)/, who: ['operator', 'admin', 'owner'] },

  { methods: 'get', path: /^\/api\/v1\/dead-letters(\/|$)/, who: [...staff, 'owner'] },
  { methods: 'post', path: /^\/api\/v1\/dead-letters\//, who: ['operator', 'admin'] },

  { methods: 'get', path: /^\/api\/v1\/queues(\/|$)/, who: staff },
  { methods: 'post patch', path: /^\/api\/v1\/queues\//, who: ['operator', 'admin'] },
  { methods: 'get', path: /^\/api\/v1\/types(\/|$)/, who: [...staff, 'owner'] },

  { methods: 'get', path: /^\/api\/v1\/schedules(\/|$)/, who: staff },
  { methods: 'post', path: /^\/api\/v1\/schedules\/preview$/, who: staff },
  {
    methods: 'post',
    path: /^\/api\/v1\/schedules\/\{\w+\}\/(run|pause|resume)$/,
    who: ['operator', 'admin'],
  },
  { methods: 'put patch delete', path: /^\/api\/v1\/schedules\/\{\w+\}$/, who: ['admin'] },

  { methods: 'get', path: /^\/api\/v1\/(workers|stats)(\/|$)/, who: staff },
  { methods: 'get', path: /^\/metrics$/, who: staff },
  { methods: 'get', path: /^\/api\/v1\/events(\/|$)/, who: [...staff, 'owner'] },
  { methods: 'get', path: /^\/api\/v1\/audit$/, who: ['admin'] },
  { methods: 'get post', path: /^\/api\/cron\/drain$/, who: ['admin', 'processor', 'cron'] },
  { methods: 'post', path: /^\/api\/v1\/drain$/, who: ['admin', 'processor', 'cron'] },
  { methods: 'get', path: /^\/api\/v1\/drain$/, who: [...staff, 'processor', 'cron'] },
]

/** What shows or changes only what belongs to a tenant, so that staff bound to one may do it within theirs. */
const withinTenant = /^\/api\/v1\/(jobs|flows|dead-letters|types|schedules|events|session)(\/|$)/

export function whoMay({ id, method, path }: { id: string; method: string; path: string }): Row['who'] {
  const row = rows.find(each => each.methods.split(' ').includes(method) && each.path.test(path))
  if (row) return row.who
  throw new Error(
    `Nobody has decided who may ${id}: add a row for ${method} ${path} to packages/api/test/auth-matrix/table.ts`,
  )
}

export function isWithinTenant(path: string): boolean {
  return withinTenant.test(path)
}
