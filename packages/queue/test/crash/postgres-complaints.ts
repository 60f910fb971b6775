import type pg from 'pg'

/** What is wrong with the tables themselves, whatever the engine says of them. */
export async function complaints(client: pg.Client): Promise<string[]> {
  return [...(await badIndexes(client)), ...(await badPlaces(client)), ...(await badCounters(client))]
}

/** Every index of the database is walked and compared with its table. */
async function badIndexes(client: pg.Client): Promise<string[]> {
  const available = await client.query(`SELECT FROM pg_available_extensions WHERE name = 'amcheck'`)
  if (available.rowCount === 0) {
    console.warn('indexes are not checked: this PostgreSQL comes without the extension amcheck')
    return []
  }
  await client.query('CREATE EXTENSION IF NOT EXISTS amcheck')
  const { rows } = await client.query<{ name: string; oid: number }>(`
    SELECT c.oid, c.oid::regclass::text AS name
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`)
  const found: string[] = []
  for (const { name, oid } of rows)
    await client
      .query('SELECT bt_index_check($1::oid, true)', [oid])
      .catch(error => found.push(`${name}: ${(error as Error).message}`))
  return found
}

/** A live job stands in one place: it is ready, delayed or leased. In none it would be lost, and nobody would notice. */
async function badPlaces(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ job: string; places: string | null }>(`
    WITH place AS (
      SELECT j.id, 'ready' AS place FROM millrace.ready r CROSS JOIN unnest(r.ids) AS u (id)
        JOIN millrace.job j ON j.id = u.id AND j.place = r.seq
      UNION ALL
      SELECT j.id, 'delayed' FROM millrace.delayed d JOIN millrace.job j ON j.id = d.id AND j.run_at = d.run_at
      UNION ALL
      SELECT j.id, 'leased' FROM millrace.lease l CROSS JOIN unnest(l.ids, l.epochs) AS u (id, epoch)
        JOIN millrace.job j ON j.id = u.id AND j.epoch = u.epoch - 1
    )
    SELECT row_to_json(j)::text AS job, p.places
    FROM millrace.job j LEFT JOIN (
      SELECT id, string_agg(place, ' and ') AS places, count(*) AS count FROM place GROUP BY id
    ) AS p ON p.id = j.id
    WHERE j.state = 0 AND p.count IS DISTINCT FROM 1 LIMIT 10`)
  return rows.map(({ job, places }) => `a live job is ${places ?? 'nowhere'}: ${job}`)
}

/** What the counters say of ended jobs is what a count of them says. */
async function badCounters(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ counted: string; said: string }>(`
    WITH truth AS (
      SELECT count(*) FILTER (WHERE state = 0) AS live, count(*) FILTER (WHERE state = 4) AS completed,
        count(*) FILTER (WHERE state = 5) AS cancelled, count(*) FILTER (WHERE state = 6) AS dead
      FROM millrace.job
    ), told AS (
      SELECT coalesce(sum(ready + delayed + running), 0) AS live, coalesce(sum(completed), 0) AS completed,
        coalesce(sum(cancelled), 0) AS cancelled, coalesce(sum(dead), 0) AS dead
      FROM (
        SELECT ready, delayed, running, completed, cancelled, dead FROM millrace.counter
        UNION ALL
        SELECT ready, delayed, running, completed, cancelled, dead FROM millrace.delta, millrace.meta WHERE seq >= folded_to
      ) AS each
    )
    SELECT row_to_json(truth)::text AS counted, row_to_json(told)::text AS said FROM truth, told
    WHERE row_to_json(truth)::text <> row_to_json(told)::text`)
  return rows.map(({ counted, said }) => `the counters say ${said}, and there are ${counted}`)
}
