import type { JobFilter, JobPage, JobRecord } from '../../engine/contract.ts'
import { AttributeWalk, countedAtMost } from '../../engine/attribute-walk.ts'
import { formatId, parseId } from '../../job/id.ts'
import { type JobState, jobStates } from '../../job/state.ts'
import { codesOf } from './codes.ts'
import { jobById } from './rows.ts'
import type { Store } from './store.ts'

/** Jobs that have the filter's attributes, live and finished together, the newest first. */
export function listByAttributes(
  store: Store,
  kinds: number[] | null,
  filter: JobFilter,
  page: { cursor?: string; limit: number },
): JobPage {
  const walk = new AttributeWalk(filter, page)
  const { walked, others } = walk.choose(countEach(store, walk))
  const codes = (filter.states ?? jobStates).flatMap((state: JobState) => codesOf(state))
  while (walk.need > 0) {
    const rows = store.rows<[id: Uint8Array, fits: number]>(
      look,
      ...walked,
      parseId(walk.below),
      parseId(walk.above),
      walk.need,
      JSON.stringify(codes),
      filter.from ?? 0,
      filter.until ?? Number.MAX_SAFE_INTEGER,
      kinds && JSON.stringify(kinds),
      filter.tenant ?? null,
      filter.fingerprint ?? null,
      JSON.stringify(others),
    )
    walk.take(rows.map(([id, fits]) => ({ id: formatId(id), fits: fits === 1 })))
  }
  const jobs = walk.ids.map(id => jobById(store, parseId(id)))
  return { jobs: jobs.filter((job): job is JobRecord => job !== null), cursor: walk.cursor }
}

/** Every look is into a primary key or a unique index. `j`: where it is live, `h`: where it has finished. */
const look = `SELECT a.job, coalesce(j.phase, h.state) IN (SELECT value FROM json_each(?6))
    AND coalesce(h.finished_at, j.created_at) >= ?7 AND coalesce(h.finished_at, j.created_at) < ?8
    AND (?9 IS NULL OR coalesce(j.kind, h.kind) IN (SELECT value FROM json_each(?9)))
    AND (?10 IS NULL OR coalesce(j.tenant, h.tenant) = ?10)
    AND (?11 IS NULL OR coalesce(j.last_error, h.last_error) ->> '$.fingerprint' IS ?11)
    AND NOT EXISTS (SELECT 1 FROM json_each(?12) o WHERE NOT EXISTS (
      SELECT 1 FROM millrace_attribute b WHERE b.job = a.job AND b.name = o.value ->> 0 AND b.value = o.value ->> 1))
  FROM (SELECT job FROM millrace_attribute WHERE name = ?1 AND value = ?2 AND job < ?3 AND job >= ?4
    ORDER BY job DESC LIMIT ?5) a
  LEFT JOIN millrace_job j ON j.id = a.job LEFT JOIN millrace_history h ON h.id = a.job ORDER BY a.job DESC`

function countEach(store: Store, { attributes, below, above }: AttributeWalk): number[] {
  if (attributes.length < 2) return [0]
  return attributes.map(([name, value]) => {
    const [row] = store.rows<[count: number]>(
      `SELECT count(*) FROM (SELECT 1 FROM millrace_attribute WHERE name = ? AND value = ? AND job < ? AND job >= ? LIMIT ?)`,
      name,
      value,
      parseId(below),
      parseId(above),
      countedAtMost,
    )
    return row?.[0] ?? 0
  })
}
