import { AttributeWalk, countedAtMost } from '../../engine/attribute-walk.ts'
import type { JobFilter } from '../../engine/contract.ts'
import { isTerminal } from '../../job/state.ts'
import { terminalCode } from './codes.ts'
import { fitsLive, held } from './list-live.ts'
import type { Search } from './list-search.ts'
import { array, type Queries } from './queries.ts'

/** Jobs that have the filter's attributes, live and finished together, the newest first. */
export async function walkAttributes(
  db: Queries,
  filter: JobFilter,
  search: Search,
  page: { cursor?: string; limit: number },
): Promise<AttributeWalk> {
  const walk = new AttributeWalk(filter, page)
  const { walked, others } = walk.choose(await countEach(db, walk))
  const finished = [...search.states].filter(isTerminal).map(state => terminalCode[state])
  while (walk.need > 0)
    walk.take(
      await db.all<{ id: string; fits: boolean }>(look, [
        walk.below,
        search.states.has('queued'),
        search.states.has('running'),
        search.states.has('blocked'),
        search.allKinds ? null : array(search.kinds.map(each => each.kind)),
        search.from,
        search.until,
        search.tenant,
        walk.need,
        walk.above,
        search.fingerprint,
        ...walked,
        array(finished),
        others.map(([name]) => name),
        others.map(([, value]) => value),
      ]),
    )
  return walk
}

/** Every look is into a primary key. */
const look = `WITH ${held}, walked AS MATERIALIZED (
    SELECT a.id FROM millrace.attribute a WHERE a.name = $12 AND a.value = $13 AND a.id < $1::uuid AND a.id >= $10::uuid
    ORDER BY a.id DESC LIMIT $9
  )
  SELECT w.id, coalesce(CASE WHEN j.state < 4 THEN ${fitsLive}
      ELSE j.state = ANY ($14::int2[]) AND j.finished_at >= $6 AND j.finished_at < $7 END
    AND ($5::int4[] IS NULL OR j.kind = ANY ($5)) AND ($8::text IS NULL OR j.tenant = $8)
    AND ($11::text IS NULL OR j.last_error ->> 'fingerprint' = $11)
    AND NOT EXISTS (SELECT FROM unnest($15::text[], $16::text[]) AS o (name, value) WHERE NOT EXISTS (
      SELECT FROM millrace.attribute b WHERE b.id = w.id AND b.name = o.name AND b.value = o.value)), false) AS fits
  FROM walked w LEFT JOIN LATERAL (SELECT * FROM millrace.job WHERE job.id = w.id OFFSET 0) AS j ON true
  ORDER BY w.id DESC`

async function countEach(db: Queries, { attributes, below, above }: AttributeWalk): Promise<number[]> {
  if (attributes.length < 2) return [0]
  const rows = await db.rows<[count: number]>(
    `SELECT (SELECT count(*) FROM (SELECT FROM millrace.attribute a WHERE a.name = o.name AND a.value = o.value
         AND a.id < $3::uuid AND a.id >= $4::uuid LIMIT $5) AS few)
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o (name, value, n) ORDER BY o.n`,
    [attributes.map(([name]) => name), attributes.map(([, value]) => value), below, above, countedAtMost],
  )
  return rows.map(([count]) => count)
}
