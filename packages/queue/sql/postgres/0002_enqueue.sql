-- The hot path: how jobs come in, and the sums of the counters that go with them. Functions, because their plans are kept by each session, prepared statements or not, and because the
-- planner must not choose by the size that a table had when it was first looked at: hence the settings.

-- The instant that a statement goes by: the database's, or the one that a test says it is.
CREATE FUNCTION now_ms(p_now int8) RETURNS int8 LANGUAGE sql STABLE
  AS $$ SELECT coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::int8) $$;

-- Where this transaction's first row stands in every order that goes by arrival.
CREATE FUNCTION base_seq() RETURNS int8 LANGUAGE sql VOLATILE
  AS $$ SELECT pg_current_xact_id()::text::int8 << 20 $$;

CREATE FUNCTION wake(p_what text) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_notify('millrace:' || store, p_what) FROM meta;
END $$;

-- How many jobs wait in a queue.
CREATE FUNCTION queued_in(p_queue text) RETURNS int8 LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT coalesce(sum(c.ready + c.delayed), 0) FROM counter c JOIN kind k USING (kind) WHERE k.queue = p_queue)
    + (SELECT coalesce(sum(d.ready + d.delayed), 0) FROM delta d JOIN kind k USING (kind), meta m
       WHERE k.queue = p_queue AND d.seq >= m.folded_to);
END $$;

-- Many jobs that are due at once, with new ids and no keys, into queues without a bound. Answers false, and does
-- nothing, when a queue has one; an id that is known is a unique_violation. Chunk c holds the jobs from p_first[c] to p_last[c], all of one kind and priority.
CREATE FUNCTION enqueue_plain(
  p_now int8, p_channel text, p_wake text, p_ids uuid[], p_payloads text, p_tenants text[],
  p_first int4[], p_last int4[], p_kinds int4[], p_priorities int2[], p_max_attempts int2[], p_new_bands boolean,
  p_attributes json DEFAULT NULL
) RETURNS boolean LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now int8 := coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::int8);
  v_payloads text[];
  v_base int8 := pg_current_xact_id()::text::int8 << 20;
  v_said text;
BEGIN
  IF p_new_bands THEN
    INSERT INTO band (kind, rank)
    SELECT DISTINCT c.kind, c.priority * 2 + 1 FROM unnest(p_kinds, p_priorities) AS c (kind, priority)
    WHERE NOT EXISTS (SELECT FROM band b WHERE b.kind = c.kind AND b.rank = c.priority * 2 + 1) ON CONFLICT DO NOTHING;
  END IF;
  IF cardinality(p_ids) = 1 THEN
    -- Small statements: where jobs come one by one the caches are cold, and to begin a large one costs more than all of these.
    IF EXISTS (SELECT FROM queue q WHERE q.max_queued IS NOT NULL AND q.queue = (SELECT k.queue FROM kind k WHERE k.kind = p_kinds[1])) THEN
      RETURN false;
    END IF;
    INSERT INTO job (id, place, created_at, run_at, kind, priority, max_attempts, tenant, payload)
    VALUES (p_ids[1], v_base + 1, v_now, v_now, p_kinds[1], p_priorities[1], p_max_attempts[1], coalesce(p_tenants[1], ''), p_payloads::json);
    INSERT INTO ready (seq, kind, rank, ids) VALUES (v_base + 1, p_kinds[1], p_priorities[1] * 2 + 1, p_ids);
    INSERT INTO delta (seq, at, kind, ready) VALUES (v_base, v_now, p_kinds[1], 1);
    IF p_attributes IS NOT NULL THEN PERFORM keep_attributes(p_ids, p_attributes); END IF;
    v_said := pg_notify(p_channel, p_wake);
    RETURN true;
  END IF;
  v_payloads := string_to_array(p_payloads, E'\x1e');
  WITH bounded AS MATERIALIZED (
    SELECT FROM queue q JOIN kind k USING (queue) WHERE q.max_queued IS NOT NULL AND k.kind = ANY (p_kinds) LIMIT 1
  ), jobs AS (
    INSERT INTO job (id, place, created_at, run_at, kind, priority, max_attempts, tenant, payload)
    SELECT j.id, v_base + c.first, v_now, v_now, c.kind, c.priority, c.max_attempts, coalesce(j.tenant, ''), j.payload::json
    FROM unnest(p_first, p_last, p_kinds, p_priorities, p_max_attempts) AS c (first, last, kind, priority, max_attempts),
      LATERAL unnest(p_ids[c.first:c.last], v_payloads[c.first:c.last], p_tenants[c.first:c.last]) AS j (id, payload, tenant)
    WHERE NOT EXISTS (SELECT FROM bounded)
  ), chunks AS (
    INSERT INTO ready (seq, kind, rank, ids)
    SELECT v_base + c.first, c.kind, c.priority * 2 + 1, p_ids[c.first:c.last]
    FROM unnest(p_first, p_last, p_kinds, p_priorities) AS c (first, last, kind, priority)
    WHERE NOT EXISTS (SELECT FROM bounded)
  )
  INSERT INTO delta (seq, at, kind, ready)
  SELECT v_base, v_now, c.kind, sum(c.last - c.first + 1) FROM unnest(p_first, p_last, p_kinds) AS c (first, last, kind)
  WHERE NOT EXISTS (SELECT FROM bounded) GROUP BY c.kind;
  IF NOT FOUND THEN RETURN false; END IF;
  IF p_attributes IS NOT NULL THEN PERFORM keep_attributes(p_ids, p_attributes); END IF;
  v_said := pg_notify(p_channel, p_wake);
  RETURN true;
END $$;

-- Any jobs, one by one. Answers a JSON object by ordinal (from 1) of those that were not simply enqueued.
-- p_places: the ordinal of the first job of each job's chunk. p_prepared: their bands are there, though perhaps not in
-- this transaction's snapshot.
CREATE FUNCTION enqueue_each(
  p_now int8, p_wake text, p_ids uuid[], p_payloads text, p_tenants text[], p_kinds int4[], p_priorities int2[],
  p_max_attempts int2[], p_places int4[], p_run_at int8[], p_delays int8[], p_keys text[], p_hashes text[],
  p_prepared boolean DEFAULT false, p_origins uuid[] DEFAULT NULL, p_attributes json DEFAULT NULL
) RETURNS json LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_base int8 := base_seq();
  v_job record;
  v_old record;
  v_run_at int8;
  v_answers jsonb := '{}';
  v_room jsonb := '{}';
  v_ready int4[] := '{}';
  v_delayed int4[] := '{}';
BEGIN
  -- A bound is exact because whoever enqueues into a bounded queue waits here for the one before.
  FOR v_old IN
    SELECT q.queue, q.max_queued FROM queue q WHERE q.max_queued IS NOT NULL
      AND q.queue IN (SELECT k.queue FROM kind k WHERE k.kind = ANY (p_kinds)) ORDER BY q.queue FOR UPDATE
  LOOP
    v_room := v_room || jsonb_build_object(v_old.queue, jsonb_build_array(queued_in(v_old.queue), v_old.max_queued));
  END LOOP;
  FOR v_job IN
    SELECT j.*, k.queue FROM unnest(p_ids, string_to_array(p_payloads, E'\x1e'), p_tenants, p_kinds, p_priorities, p_max_attempts,
        p_places, p_run_at, p_delays, p_keys, p_hashes, p_origins) WITH ORDINALITY
      AS j (id, payload, tenant, kind, priority, max_attempts, place, run_at, delay, key, hash, origin, n)
      -- A caller's snapshot may be older than a kind that was just made.
      LEFT JOIN kind k ON k.kind = j.kind
    -- In the order of their keys, so that two who enqueue the same keys never wait for each other.
    ORDER BY coalesce(j.tenant, ''), j.key, j.n
  LOOP
    IF v_job.key IS NOT NULL THEN
      SELECT i.id, i.body_hash INTO v_old FROM idempotency i
      WHERE i.tenant = coalesce(v_job.tenant, '') AND i.key = v_job.key AND (i.expires_at IS NULL OR i.expires_at > v_now);
      IF FOUND THEN
        v_answers := v_answers || jsonb_build_object(v_job.n, jsonb_build_array(
          CASE WHEN v_old.body_hash = v_job.hash THEN 'duplicate' ELSE 'idempotency-conflict' END, v_old.id));
        CONTINUE;
      END IF;
    END IF;
    IF EXISTS (SELECT FROM job WHERE id = v_job.id) THEN
      v_answers := v_answers || jsonb_build_object(v_job.n, jsonb_build_array('duplicate', v_job.id));
      CONTINUE;
    END IF;
    IF (v_room -> v_job.queue -> 0)::int8 >= (v_room -> v_job.queue -> 1)::int8 THEN
      v_answers := v_answers || jsonb_build_object(v_job.n, jsonb_build_array('queue-full') || (v_room -> v_job.queue));
      CONTINUE;
    END IF;
    IF v_job.key IS NOT NULL THEN
      INSERT INTO idempotency AS i (tenant, key, id, body_hash, created_at)
      VALUES (coalesce(v_job.tenant, ''), v_job.key, v_job.id, v_job.hash, v_now)
      ON CONFLICT (tenant, key) DO UPDATE
        SET id = excluded.id, body_hash = excluded.body_hash, created_at = excluded.created_at, expires_at = NULL
        WHERE i.expires_at <= v_now;
      IF NOT FOUND THEN
        -- Somebody else's, since the look above.
        SELECT i.id, i.body_hash INTO v_old FROM idempotency i WHERE i.tenant = coalesce(v_job.tenant, '') AND i.key = v_job.key;
        v_answers := v_answers || jsonb_build_object(v_job.n, jsonb_build_array(
          CASE WHEN v_old.body_hash = v_job.hash THEN 'duplicate' ELSE 'idempotency-conflict' END, v_old.id));
        CONTINUE;
      END IF;
    END IF;
    v_run_at := coalesce(v_job.run_at, v_now + coalesce(v_job.delay, 0));
    INSERT INTO job (id, place, created_at, run_at, kind, priority, max_attempts, tenant, idempotency_key, payload, origin)
    VALUES (v_job.id, CASE WHEN v_run_at > v_now THEN 0 ELSE v_base + v_job.place END, v_now, v_run_at, v_job.kind, v_job.priority,
      v_job.max_attempts, coalesce(v_job.tenant, ''), v_job.key, v_job.payload::json, v_job.origin)
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
      v_answers := v_answers || jsonb_build_object(v_job.n, jsonb_build_array('duplicate', v_job.id));
    ELSIF v_run_at > v_now THEN
      INSERT INTO delayed (kind, run_at, id, rank) VALUES (v_job.kind, v_run_at, v_job.id, v_job.priority * 2 + 1);
      v_delayed := array_append(v_delayed, v_job.n::int4);
    ELSE
      v_ready := array_append(v_ready, v_job.n::int4);
    END IF;
    IF v_room ? v_job.queue THEN
      v_room := jsonb_set(v_room, ARRAY[v_job.queue, '0'], to_jsonb((v_room -> v_job.queue -> 0)::int8 + 1));
    END IF;
  END LOOP;
  INSERT INTO ready (seq, kind, rank, ids)
  SELECT v_base + p_places[n], min(p_kinds[n]), min(p_priorities[n]) * 2 + 1, array_agg(p_ids[n] ORDER BY n)
  FROM unnest(v_ready) AS n GROUP BY p_places[n];
  INSERT INTO band (kind, rank)
  SELECT DISTINCT p_kinds[n], p_priorities[n] * 2 + 1 FROM unnest(v_ready || v_delayed) AS n
  WHERE NOT p_prepared AND NOT EXISTS (SELECT FROM band b WHERE b.kind = p_kinds[n] AND b.rank = p_priorities[n] * 2 + 1) ON CONFLICT DO NOTHING;
  INSERT INTO delta (seq, at, kind, ready, delayed)
  SELECT v_base, v_now, c.kind, sum(c.ready), sum(c.delayed)
  FROM (SELECT p_kinds[n] AS kind, 1 AS ready, 0 AS delayed FROM unnest(v_ready) AS n
    UNION ALL SELECT p_kinds[n], 0, 1 FROM unnest(v_delayed) AS n) AS c GROUP BY c.kind;
  IF p_attributes IS NOT NULL THEN PERFORM keep_attributes(p_ids, p_attributes, v_ready || v_delayed); END IF;
  PERFORM wake(p_wake);
  RETURN v_answers::json;
END $$;

-- Adds up what stands in `delta` below the oldest transaction that still runs: nothing can appear there any more.
CREATE FUNCTION fold() RETURNS int4 LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_from int8;
  v_to int8;
  v_rows int4;
BEGIN
  SELECT m.folded_to INTO v_from FROM meta m FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN 0; END IF;
  v_to := pg_snapshot_xmin(pg_current_snapshot())::text::int8 << 20;
  -- A restored copy begins with lower transaction ids than the original ended with.
  IF v_to < v_from THEN v_from := 0; UPDATE meta SET folded_to = 0; END IF;
  IF NOT EXISTS (SELECT FROM delta d WHERE d.seq >= v_from AND d.seq < v_to) THEN RETURN 0; END IF;
  WITH gone AS (
    DELETE FROM delta d WHERE d.seq >= v_from AND d.seq < v_to RETURNING d.*
  ), counted AS (
    INSERT INTO counter AS c (kind, ready, delayed, blocked, running, completed, cancelled, dead)
    SELECT g.kind, sum(g.ready), sum(g.delayed), sum(g.blocked), sum(g.running), sum(g.completed), sum(g.cancelled), sum(g.dead)
    FROM gone g GROUP BY g.kind ORDER BY g.kind
    ON CONFLICT (kind) DO UPDATE SET ready = c.ready + excluded.ready, delayed = c.delayed + excluded.delayed,
      blocked = c.blocked + excluded.blocked, running = c.running + excluded.running, completed = c.completed + excluded.completed,
      cancelled = c.cancelled + excluded.cancelled, dead = c.dead + excluded.dead
  ), tallied AS (
    -- What left history again, by a redrive or a removal, has happened all the same.
    INSERT INTO tally AS t (at, kind, completed, failed, dead, cancelled)
    SELECT g.at - g.at % 600000, g.kind, sum(greatest(g.completed, 0)), sum(g.failed), sum(greatest(g.dead, 0)), sum(greatest(g.cancelled, 0))
    FROM gone g WHERE g.completed > 0 OR g.failed > 0 OR g.dead > 0 OR g.cancelled > 0 GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (at, kind) DO UPDATE SET completed = t.completed + excluded.completed, failed = t.failed + excluded.failed,
      dead = t.dead + excluded.dead, cancelled = t.cancelled + excluded.cancelled
  )
  SELECT count(*) INTO v_rows FROM gone;
  UPDATE meta SET folded_to = v_to;
  RETURN v_rows;
END $$;
