-- The hot path. Functions, because their plans are kept by each session, prepared statements or not, and because the
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

-- Delayed jobs of these kinds that have fallen due become ready, the earliest first.
CREATE FUNCTION promote(p_now int8, p_kinds int4[], p_since int8) RETURNS int4 LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_base int8;
  v_count int4;
BEGIN
  v_base := base_seq();
  WITH due AS MATERIALIZED (
    SELECT d.* FROM unnest(p_kinds) AS k, LATERAL
      (SELECT * FROM delayed WHERE kind = k AND run_at <= p_now AND run_at >= p_since ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED) AS d
  ), free AS MATERIALIZED (
    -- Whoever has locked a job takes it out of here: nobody who promotes makes him wait for what he holds himself.
    SELECT d.kind, d.run_at, d.id FROM due d, LATERAL (SELECT FROM job WHERE job.id = d.id FOR NO KEY UPDATE SKIP LOCKED) AS j
  ), gone AS (
    DELETE FROM delayed d USING free f WHERE d.kind = f.kind AND d.run_at = f.run_at AND d.id = f.id
    RETURNING d.kind, d.rank, d.run_at, d.id
  ), numbered AS (
    SELECT g.*, v_base + min(g.n) OVER (PARTITION BY g.kind, g.rank, g.part) AS seq
    FROM (SELECT *, row_number() OVER (ORDER BY run_at, id) AS n,
        (row_number() OVER (PARTITION BY kind, rank ORDER BY run_at, id) - 1) / 100 AS part FROM gone) AS g
  ), placed AS (
    UPDATE job j SET place = n.seq FROM numbered n WHERE j.id = n.id AND j.state = 0
    RETURNING n.id, n.seq, n.kind, n.rank, n.n
  ), chunks AS (
    INSERT INTO ready (seq, kind, rank, ids)
    SELECT p.seq, p.kind, p.rank, array_agg(p.id ORDER BY p.n) FROM placed p GROUP BY p.seq, p.kind, p.rank
    RETURNING kind, cardinality(ids) AS jobs
  ), counted AS (
    INSERT INTO delta (seq, at, kind, ready, delayed)
    SELECT v_base, p_now, c.kind, sum(c.jobs), -sum(c.jobs) FROM chunks c GROUP BY c.kind
  )
  SELECT coalesce(sum(jobs), 0) INTO v_count FROM chunks;
  RETURN v_count;
END $$;

-- Takes up to p_limit jobs of these kinds for a worker, by rank and then by seq. The caller remembers, for each band, a
-- head below which it has seen everything (p_bands, p_ranks, p_heads), and which transactions ran then (p_late), whose
-- rows may have appeared below it since. What fell due more than p_due_within before is taken for promoted; null: looked for.
--
-- The first row answers for the whole, as JSON: `snapshot` (taken before anything was read), `next` (each band's first
-- row that was not taken whole: [kind, rank, seq]), `late` (those of p_late whose rows are not used up), `dueIn`, and
-- `kinds` (how many there are). With p_beat_ms, what an idle worker would otherwise ask one by one: its lease is extended
-- when it is due, and `rest` says whether some worker's has ended, and whether schedules have changed. It is null when the worker has no lease. The others are jobs: their fields, the payload, and the flow.
CREATE FUNCTION claim(
  p_worker int4, p_lid int8, p_now int8, p_limit int4, p_kinds int4[], p_bands int4[], p_ranks int2[], p_heads int8[],
  p_late int8[], p_due_within int8, p_beat_ms int8
) RETURNS TABLE (fields text, payload text, flow uuid) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET enable_sort = on SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now int8 := coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::int8);
  v_snapshot pg_snapshot := pg_current_snapshot();
  v_since int8 := coalesce(v_now - p_due_within, 0);
  v_alive boolean;
  v_open int4[];
  v_ranks int2[];
  v_rank int2;
  v_left int4 := p_limit;
  v_rows int4;
  v_chunks int4;
  v_seen int4;
  v_ids uuid[] := '{}';
  v_seqs int8[] := '{}';
  v_taken_ids uuid[];
  v_taken_seqs int8[];
  v_due int8;
  v_known int8;
  v_next json;
  v_late json;
  v_rest json;
BEGIN
  -- Twice when jobs have fallen due: then they are ready the second time.
  LOOP
    WITH open AS MATERIALIZED (
      SELECT k.kind FROM kind k
      WHERE k.kind = ANY (p_kinds) AND NOT EXISTS (SELECT FROM queue q WHERE q.queue = k.queue AND q.paused)
    ), waiting AS (
      SELECT DISTINCT b.rank FROM open o JOIN band b ON b.kind = o.kind
      LEFT JOIN unnest(p_bands, p_ranks, p_heads) AS h (kind, rank, head) ON h.kind = b.kind AND h.rank = b.rank
      LEFT JOIN LATERAL (SELECT c.seq FROM ready c WHERE c.kind = b.kind AND c.rank = b.rank AND c.seq > coalesce(h.head, 0)
        ORDER BY c.seq LIMIT 1) AS n ON true
      -- What was committed late is looked for below the heads, too.
      WHERE n.seq IS NOT NULL OR cardinality(p_late) > 0
    )
    SELECT EXISTS (SELECT FROM worker w WHERE w.worker = p_worker AND w.expires_at > v_now),
      (SELECT array_agg(o.kind) FROM open o), (SELECT array_agg(w.rank ORDER BY w.rank) FROM waiting w),
      (SELECT min(d.run_at) FROM open o, LATERAL
        (SELECT e.run_at FROM delayed e WHERE e.kind = o.kind AND e.run_at >= v_since ORDER BY e.run_at LIMIT 1) AS d),
      (SELECT count(*) FROM kind)
    INTO v_alive, v_open, v_ranks, v_due, v_known;
    EXIT WHEN NOT v_alive OR v_due IS NULL OR v_due > v_now OR v_rows IS NOT NULL;
    v_rows := promote(v_now, v_open, v_since);
  END LOOP;
  IF NOT v_alive THEN
    RETURN QUERY SELECT NULL::text, NULL::text, NULL::uuid;
    RETURN;
  END IF;
  IF p_beat_ms IS NOT NULL THEN
    -- Not when somebody else decides about it: he may be waiting for a job that was promoted here.
    UPDATE worker w SET beat_at = v_now, expires_at = v_now + p_beat_ms WHERE w.worker = (
      SELECT o.worker FROM worker o WHERE o.worker = p_worker AND o.beat_at < v_now - p_beat_ms / 4 FOR NO KEY UPDATE SKIP LOCKED);
  END IF;

  FOREACH v_rank IN ARRAY coalesce(v_ranks, '{}') LOOP
    -- As many rows as the limit asks for when all are full; more, in further rounds, when they are not.
    v_chunks := v_left / 100 + 2;
    LOOP
      EXIT WHEN v_left <= 0;
      WITH ranges AS MATERIALIZED (
        SELECT b.kind, coalesce(h.head, 0) AS lo, 9223372036854775807 AS hi
        FROM band b LEFT JOIN unnest(p_bands, p_ranks, p_heads) AS h (kind, rank, head) ON h.kind = b.kind AND h.rank = b.rank
        WHERE b.kind = ANY (v_open) AND b.rank = v_rank
        UNION ALL
        SELECT h.kind, (x << 20) - 1, least(h.head, ((x + 1) << 20) - 1)
        FROM unnest(p_bands, p_ranks, p_heads) AS h (kind, rank, head), unnest(p_late) AS x
        WHERE h.rank = v_rank AND h.kind = ANY (v_open) AND (x << 20) <= h.head
      ), found AS MATERIALIZED (
        SELECT f.* FROM ranges r, LATERAL (
          SELECT c.ctid AS tid, c.seq, c.kind, c.rank, c.ids FROM ready c
          WHERE c.kind = r.kind AND c.rank = v_rank AND c.seq > r.lo AND c.seq <= r.hi
          ORDER BY c.seq LIMIT v_chunks FOR UPDATE SKIP LOCKED) AS f
      ), ordered AS (
        SELECT f.*, sum(cardinality(f.ids)) OVER (ORDER BY f.seq, f.tid) - cardinality(f.ids) AS before FROM found f
      ), taken AS MATERIALIZED (
        SELECT o.* FROM ordered o WHERE o.before < v_left
      ), gone AS (
        DELETE FROM ready WHERE ctid = ANY (ARRAY (SELECT t.tid FROM taken t))
      ), rest AS (
        INSERT INTO ready (seq, kind, rank, ids)
        SELECT t.seq, t.kind, t.rank, t.ids[v_left - t.before + 1:] FROM taken t WHERE t.before + cardinality(t.ids) > v_left
      )
      SELECT array_agg(u.id ORDER BY t.seq, t.tid, u.n), array_agg(t.seq ORDER BY t.seq, t.tid, u.n),
        (SELECT count(*) FROM found), (SELECT count(*) FROM taken)
      INTO v_taken_ids, v_taken_seqs, v_seen, v_rows
      FROM taken t, LATERAL unnest(t.ids[:v_left - t.before]) WITH ORDINALITY AS u (id, n);
      EXIT WHEN v_taken_ids IS NULL;
      v_left := v_left - cardinality(v_taken_ids);
      v_ids := v_ids || v_taken_ids;
      v_seqs := v_seqs || v_taken_seqs;
      -- Fewer rows than were asked for: this rank is used up.
      EXIT WHEN v_seen < v_chunks;
      v_chunks := v_chunks * 4;
    END LOOP;
    EXIT WHEN v_left <= 0;
  END LOOP;

  -- Several small statements rather than one: what is not needed need not be begun, which costs more than to run it.
  SELECT json_agg(json_build_array(b.kind, b.rank, n.seq::text)) INTO v_next FROM band b
  LEFT JOIN unnest(p_bands, p_ranks, p_heads) AS h (kind, rank, head) ON h.kind = b.kind AND h.rank = b.rank
  LEFT JOIN LATERAL (SELECT c.seq FROM ready c WHERE c.kind = b.kind AND c.rank = b.rank AND c.seq > coalesce(h.head, 0)
    ORDER BY c.seq LIMIT 1) AS n ON true
  WHERE b.kind = ANY (v_open);
  IF cardinality(p_late) > 0 THEN
    SELECT json_agg(x::text) INTO v_late FROM unnest(p_late) AS x WHERE EXISTS (
      SELECT FROM unnest(p_bands, p_ranks, p_heads) AS h (kind, rank, head), LATERAL (
        SELECT FROM ready c WHERE c.kind = h.kind AND c.rank = h.rank AND c.seq >= x << 20 AND c.seq < (x + 1) << 20
          AND c.seq <= h.head LIMIT 1) AS left_over);
  END IF;
  IF p_beat_ms IS NOT NULL THEN
    SELECT json_build_object('now', v_now,
      'expired', EXISTS (SELECT FROM worker w WHERE NOT w.cleared AND w.expires_at <= v_now),
      'schedules', (SELECT count(*) || ':' || coalesce(sum(hashtext(s::text)), 0) FROM schedule s)) INTO v_rest;
  END IF;
  fields := json_build_object('snapshot', v_snapshot, 'next', v_next, 'late', v_late, 'dueIn', v_due - v_now, 'kinds', v_known,
    'rest', v_rest)::text;
  RETURN NEXT;
  IF cardinality(v_ids) = 0 THEN RETURN; END IF;
  RETURN QUERY
    WITH claimed AS MATERIALIZED (
      SELECT u.n, j.id, j.kind, j.epoch, j.attempt, j.max_attempts, j.priority, j.deaths, j.created_at, j.run_at, j.tenant, j.payload,
        j.flow
      FROM unnest(v_ids, v_seqs) WITH ORDINALITY AS u (id, seq, n),
        LATERAL (SELECT * FROM job WHERE job.id = u.id OFFSET 0) AS j
      WHERE j.state = 0 AND j.place = u.seq
    ), held AS (
      INSERT INTO lease (lid, worker, at, ids, epochs)
      SELECT p_lid, p_worker, v_now, array_agg(c.id), array_agg(c.epoch + 1) FROM claimed c HAVING count(*) > 0
    ), counted AS (
      INSERT INTO delta (seq, at, kind, ready, running)
      SELECT base_seq(), v_now, c.kind, -count(*), count(*) FROM claimed c GROUP BY c.kind
    )
    SELECT concat_ws(' ', c.id, c.kind, c.epoch + 1, c.attempt + 1, c.max_attempts, c.priority, c.deaths, c.created_at, c.run_at,
      nullif(c.tenant, '')), c.payload::text, c.flow
    FROM claimed c ORDER BY c.n;
END $$;

-- Takes the job that a worker had nothing to do without, where it is the only one that waits, in a row of its own above the known
-- heads of all bands of the wanted kinds, in small statements for the same reason. Answers nothing when that is not so: then
-- `claim` finds out why. more: something falls due soon.
CREATE FUNCTION claim_one(
  p_worker int4, p_lid int8, p_now int8, p_wanted int4[], p_kinds int4[], p_ranks int2[], p_heads int8[],
  OUT fields text, OUT payload text, OUT flow uuid, OUT more boolean
) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now int8 := coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::int8);
  v_open int4[];
  v_jobs int4;
  v_row tid;
  v_seq int8;
  v_id uuid;
  v_due int8;
BEGIN
  SELECT array_agg(k.kind) INTO v_open FROM kind k
  WHERE k.kind = ANY (p_kinds) AND NOT EXISTS (SELECT FROM queue q WHERE q.queue = k.queue AND q.paused)
    AND EXISTS (SELECT FROM worker w WHERE w.worker = p_worker AND w.expires_at > v_now)
    -- One that is new may hold something more urgent.
    AND (SELECT count(*) FROM band b WHERE b.kind = ANY (p_wanted)) = cardinality(p_kinds);
  IF v_open IS NULL THEN RETURN; END IF;
  SELECT sum(cardinality(n.ids)), (array_agg(n.tid))[1], (SELECT min(d.run_at) FROM unnest(v_open) AS k, LATERAL
    (SELECT e.run_at FROM delayed e WHERE e.kind = k ORDER BY e.run_at LIMIT 1) AS d)
  INTO v_jobs, v_row, v_due
  FROM unnest(p_kinds, p_ranks, p_heads) AS h (kind, rank, head), LATERAL (
    SELECT r.ctid AS tid, r.ids FROM ready r WHERE r.kind = h.kind AND r.rank = h.rank AND r.seq > h.head ORDER BY r.seq LIMIT 2) AS n
  WHERE h.kind = ANY (v_open);
  IF v_jobs IS DISTINCT FROM 1 OR v_due <= v_now THEN RETURN; END IF;
  DELETE FROM ready WHERE ctid = (
    SELECT r.ctid FROM ready r WHERE r.ctid = v_row AND r.kind = ANY (v_open) AND cardinality(r.ids) = 1 FOR UPDATE SKIP LOCKED)
  RETURNING seq, ids[1] INTO v_seq, v_id;
  IF v_id IS NULL THEN RETURN; END IF;
  -- By a parameter only the one partition is opened; a join would open all.
  WITH claimed AS MATERIALIZED (
    SELECT * FROM job j WHERE j.id = v_id AND j.state = 0 AND j.place = v_seq
  ), held AS (
    INSERT INTO lease (lid, worker, at, ids, epochs) SELECT p_lid, p_worker, v_now, ARRAY[c.id], ARRAY[c.epoch + 1] FROM claimed c
  ), counted AS (
    INSERT INTO delta (seq, at, kind, ready, running) SELECT base_seq(), v_now, c.kind, -1, 1 FROM claimed c
  )
  SELECT concat_ws(' ', c.id, c.kind, c.epoch + 1, c.attempt + 1, c.max_attempts, c.priority, c.deaths, c.created_at, c.run_at,
    nullif(c.tenant, '')), c.payload::text, c.flow INTO fields, payload, flow FROM claimed c;
  more := coalesce(v_due <= v_now + 60000, false);
END $$;

-- The time, when the worker's lease holds after all: a beat that is on its way to commit is waited for. Null when not.
CREATE FUNCTION held_until(p_worker int4, p_now int8) RETURNS int8 LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  v_expires_at int8;
  v_now int8;
BEGIN
  SELECT w.expires_at INTO v_expires_at FROM worker w WHERE w.worker = p_worker FOR NO KEY UPDATE;
  v_now := now_ms(p_now);
  RETURN CASE WHEN v_expires_at > v_now THEN v_now END;
END $$;

-- Completes jobs that belong to no flow; for the others, and for waits, there is `settle_any`. p_lids: the lease rows they are in; p_ended: those whose last jobs these are, which go when none is
-- refused. Answers null when all were this worker's to end, and otherwise the ids of those that were.
CREATE FUNCTION settle_completed(
  p_worker int4, p_now int8, p_channel text, p_wake text, p_ids uuid[], p_epochs int4[], p_ran int4[], p_results text, p_lids int8[],
  p_distinct_lids int8[], p_ended int8[]
) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now int8 := coalesce(p_now, (extract(epoch FROM clock_timestamp()) * 1000)::int8);
  v_lids int8[];
  v_done uuid[];
  v_said text;
BEGIN
  SELECT array_agg(l.lid) INTO v_lids FROM worker w JOIN lease l ON l.lid = ANY (p_distinct_lids) AND l.worker = w.worker
  WHERE w.worker = p_worker AND w.expires_at > v_now;
  IF v_lids IS NULL THEN
    -- Its lease may just be being extended: whoever says that it has ended waits for that first.
    v_now := held_until(p_worker, p_now);
    IF v_now IS NULL THEN RETURN '{}'; END IF;
    SELECT array_agg(l.lid) INTO v_lids FROM lease l WHERE l.lid = ANY (p_distinct_lids) AND l.worker = p_worker;
    IF v_lids IS NULL THEN RETURN '{}'; END IF;
  END IF;
  WITH done AS (
    UPDATE job j SET state = 4, epoch = u.epoch, attempt = j.attempt + 1, finished_at = v_now, worker = p_worker, run_ms = u.ran,
      result = nullif(u.result, '')::json
    FROM unnest(p_ids, p_epochs, p_ran, string_to_array(p_results, E'\x1e'), p_lids) AS u (id, epoch, ran, result, lid)
    WHERE j.id = u.id AND j.state = 0 AND j.epoch = u.epoch - 1 AND j.flow IS NULL
      AND (cardinality(v_lids) = cardinality(p_distinct_lids) OR u.lid = ANY (v_lids))
    RETURNING j.id, j.kind
  ), logged AS (
    INSERT INTO finished (kind, state, at, ids) SELECT d.kind, 4, v_now, array_agg(d.id) FROM done d GROUP BY d.kind
    RETURNING kind, ids
  ), counted AS (
    INSERT INTO delta (seq, at, kind, running, completed)
    SELECT base_seq(), v_now, l.kind, -cardinality(l.ids), cardinality(l.ids) FROM logged l
  )
  SELECT array_agg(id) INTO v_done FROM logged, LATERAL unnest(ids) AS id;
  IF cardinality(v_done) = cardinality(p_ids) THEN
    DELETE FROM lease WHERE lid = ANY (p_ended) AND worker = p_worker;
  END IF;
  IF p_wake IS NOT NULL AND v_done IS NOT NULL THEN v_said := pg_notify(p_channel, p_wake); END IF;
  RETURN CASE WHEN cardinality(v_done) = cardinality(p_ids) THEN NULL ELSE coalesce(v_done, '{}') END;
END $$;

-- Ends attempts of such jobs in any other way. Outcomes: 1 retry, 2 dead, 3 cancelled, 4 snooze, 5 release. Answers the ids of those
-- that were this worker's to end.
CREATE FUNCTION settle_others(
  p_worker int4, p_now int8, p_wake text, p_ids uuid[], p_epochs int4[], p_ran int4[], p_lids int8[], p_ended int8[],
  p_outcomes int2[], p_in_ms int8[], p_errors text[], p_reasons text[]
) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_done uuid[];
BEGIN
  IF NOT EXISTS (SELECT FROM worker w WHERE w.worker = p_worker AND w.expires_at > v_now) THEN
    v_now := held_until(p_worker, p_now);
    IF v_now IS NULL THEN RETURN '{}'; END IF;
  END IF;
  SELECT e.done INTO v_done
  FROM end_attempts(p_worker, v_now, p_ids, p_epochs, p_ran, p_lids, p_outcomes, p_in_ms, p_errors, p_reasons, NULL, '{}') AS e;
  IF cardinality(v_done) = cardinality(p_ids) THEN
    DELETE FROM lease WHERE lid = ANY (p_ended) AND worker = p_worker;
  END IF;
  IF cardinality(v_done) > 0 THEN PERFORM wake(p_wake); END IF;
  RETURN v_done;
END $$;

-- Ends attempts of jobs of no flow or of p_flows, which are locked; outcomes as in `settle_others`, and 0 complete. `done` are those
-- that were this worker's to end, `ended` those of flows that have ended with it. look: one that somebody had asked to cancel has
-- completed. loud: some have not completed.
CREATE FUNCTION end_attempts(
  p_worker int4, p_now int8, p_ids uuid[], p_epochs int4[], p_ran int4[], p_lids int8[], p_outcomes int2[], p_in_ms int8[],
  p_errors text[], p_reasons text[], p_results text, p_flows uuid[],
  OUT done uuid[], OUT ended uuid[], OUT ended_flows uuid[], OUT ended_states int2[], OUT look boolean, OUT loud boolean
) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_base int8 := base_seq();
  v_paused uuid[];
  v_epochs int4[];
BEGIN
  WITH u AS MATERIALIZED (
    SELECT u.*, u.outcome < 4 AS spent
    FROM unnest(p_ids, p_epochs, p_ran, p_lids, p_outcomes, p_in_ms, p_errors, p_reasons, string_to_array(p_results, E'\x1e')) WITH ORDINALITY
      AS u (id, epoch, ran, lid, outcome, in_ms, error, reason, result, n)
    WHERE u.outcome <> 6 AND EXISTS (SELECT FROM lease l WHERE l.lid = u.lid AND l.worker = p_worker)
  ), done AS (
    UPDATE job j SET
      epoch = u.epoch,
      -- Whoever asked to cancel it in the meantime is obeyed instead of a further attempt.
      state = CASE WHEN u.outcome = 0 THEN 4 WHEN u.outcome = 2 THEN 6 WHEN u.outcome = 3 OR j.cancel_reason IS NOT NULL THEN 5 ELSE 0 END,
      attempt = j.attempt + CASE WHEN u.spent OR j.cancel_reason IS NOT NULL THEN 1 ELSE 0 END,
      run_at = CASE WHEN u.outcome IN (1, 4, 5) AND j.cancel_reason IS NULL THEN p_now + u.in_ms ELSE j.run_at END,
      place = CASE WHEN u.in_ms > 0 OR u.outcome IN (0, 2, 3) THEN 0 ELSE v_base + u.n END,
      finished_at = CASE WHEN u.outcome IN (0, 2, 3) OR j.cancel_reason IS NOT NULL THEN p_now END,
      worker = CASE WHEN u.outcome IN (0, 2, 3) OR j.cancel_reason IS NOT NULL THEN p_worker END,
      run_ms = CASE WHEN u.outcome IN (0, 2, 3) OR j.cancel_reason IS NOT NULL THEN u.ran END,
      cancel_reason = coalesce(j.cancel_reason, u.reason),
      last_error = coalesce(u.error::json, j.last_error),
      result = CASE WHEN u.outcome = 0 THEN nullif(u.result, '')::json ELSE j.result END
    FROM u WHERE j.id = u.id AND j.state = 0 AND j.epoch = u.epoch - 1 AND (j.flow IS NULL OR j.flow = ANY (p_flows))
    RETURNING j.id, j.kind, j.priority, j.state, j.epoch, j.attempt, j.run_at, j.flow, j.cancel_reason, u.n, u.outcome, u.ran, u.error, u.spent,
      u.in_ms
  ), recorded AS (
    INSERT INTO attempt (id, epoch, attempt, worker, started_at, ended_at, outcome, error)
    SELECT d.id, d.epoch, d.attempt + CASE WHEN d.spent OR d.state = 5 THEN 0 ELSE 1 END, p_worker, p_now - d.ran, p_now,
      CASE d.outcome WHEN 3 THEN 'cancelled' WHEN 4 THEN 'snoozed' ELSE 'failed' END, d.error::json
    FROM done d WHERE d.outcome NOT IN (0, 5) ON CONFLICT DO NOTHING
  ), back AS (
    INSERT INTO ready (seq, kind, rank, ids)
    SELECT v_base + d.n, d.kind, d.priority * 2 + CASE WHEN d.outcome = 5 THEN 0 ELSE 1 END, ARRAY[d.id]
    FROM done d WHERE d.state = 0 AND d.in_ms <= 0
    RETURNING kind, rank
  ), later AS (
    INSERT INTO delayed (kind, run_at, id, rank)
    SELECT d.kind, d.run_at, d.id, d.priority * 2 + 1 FROM done d WHERE d.state = 0 AND d.in_ms > 0
    RETURNING kind, rank
  ), bands AS (
    INSERT INTO band (kind, rank) SELECT b.kind, b.rank FROM (SELECT * FROM back UNION SELECT * FROM later) AS b
    WHERE NOT EXISTS (SELECT FROM band o WHERE o.kind = b.kind AND o.rank = b.rank) ON CONFLICT DO NOTHING
  ), logged AS (
    INSERT INTO finished (kind, state, at, ids)
    SELECT d.kind, d.state, p_now, array_agg(d.id ORDER BY d.n) FROM done d WHERE d.state > 0 GROUP BY d.kind, d.state
  ), counted AS (
    INSERT INTO delta (seq, at, kind, running, ready, delayed, completed, cancelled, dead, failed)
    SELECT v_base, p_now, d.kind, -count(*), count(*) FILTER (WHERE d.state = 0 AND d.in_ms <= 0),
      count(*) FILTER (WHERE d.state = 0 AND d.in_ms > 0), count(*) FILTER (WHERE d.state = 4), count(*) FILTER (WHERE d.state = 5),
      count(*) FILTER (WHERE d.state = 6), count(*) FILTER (WHERE d.outcome IN (1, 2))
    FROM done d GROUP BY d.kind
  )
  SELECT coalesce(array_agg(d.id), '{}'),
    coalesce(array_agg(d.id) FILTER (WHERE d.state > 0 AND d.flow IS NOT NULL), '{}'),
    coalesce(array_agg(d.flow) FILTER (WHERE d.state > 0 AND d.flow IS NOT NULL), '{}'),
    coalesce(array_agg(d.state) FILTER (WHERE d.state > 0 AND d.flow IS NOT NULL), '{}'),
    coalesce(bool_or(d.state = 4 AND d.cancel_reason IS NOT NULL), false), coalesce(bool_or(d.state <> 4), false),
    array_agg(d.id) FILTER (WHERE d.outcome = 4 AND d.epoch > 100), array_agg(d.epoch) FILTER (WHERE d.outcome = 4 AND d.epoch > 100)
  INTO done, ended, ended_flows, ended_states, look, loud, v_paused, v_epochs FROM done d;
  IF v_paused IS NOT NULL THEN PERFORM forget_pauses(v_paused, v_epochs); END IF;
END $$;

-- A job that polls for weeks must not fill the tables: of attempts that ended in a pause the last hundred are kept, with what they
-- have logged. p_epochs are those of the jobs' latest. A released attempt has left lines only.
CREATE FUNCTION forget_pauses(p_ids uuid[], p_epochs int4[]) RETURNS void LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  DELETE FROM attempt a USING unnest(p_ids, p_epochs) AS u (id, epoch)
  WHERE a.id = u.id AND a.epoch = u.epoch - 100 AND a.outcome IN ('snoozed', 'waited');
  DELETE FROM log g USING unnest(p_ids, p_epochs) AS u (id, epoch)
  WHERE g.id = u.id AND g.epoch = u.epoch - 100 AND NOT EXISTS (SELECT FROM attempt a WHERE a.id = g.id AND a.epoch = g.epoch);
END $$;

-- What a worker held when its lease ended: back to the head of the queue; dead when no attempt is left or when it has
-- killed too many workers. A job that is just being settled is left to its settler.
CREATE FUNCTION give_back(p_worker int4, p_now int8, p_wake text, p_max_deaths int4, p_limit int4, p_lost json, p_poison json)
RETURNS TABLE (id uuid, type text, queue text, worker text, attempt int4, deaths int4, state int2) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_base int8 := base_seq();
  v_flows uuid[];
  v_back json;
  v_ended uuid[];
  v_ended_flows uuid[];
  v_states int2[];
  v_moved record;
BEGIN
  v_flows := lock_flows((SELECT array_agg(u.id) FROM lease l, LATERAL unnest(l.ids) AS u (id) WHERE l.worker = p_worker));
  WITH held AS MATERIALIZED (
    SELECT l.at, u.id, u.epoch, row_number() OVER (ORDER BY l.at, l.lid, u.n) AS n
    FROM lease l, LATERAL unnest(l.ids, l.epochs) WITH ORDINALITY AS u (id, epoch, n) WHERE l.worker = p_worker
  ), lost AS MATERIALIZED (
    SELECT h.*, j.deaths + 1 AS deaths, j.cancel_reason IS NOT NULL AS cancelled,
      j.deaths + 1 >= p_max_deaths AS poison, j.attempt + 1 >= j.max_attempts AS spent
    FROM held h JOIN job j ON j.id = h.id AND j.state = 0 AND j.epoch = h.epoch - 1 AND (j.flow IS NULL OR j.flow = ANY (v_flows))
    ORDER BY h.n LIMIT p_limit FOR UPDATE OF j SKIP LOCKED
  ), done AS (
    UPDATE job j SET
      epoch = l.epoch, attempt = j.attempt + 1, deaths = l.deaths, place = v_base + l.n,
      state = CASE WHEN l.cancelled THEN 5 WHEN l.poison OR l.spent THEN 6 ELSE 0 END,
      run_at = CASE WHEN l.cancelled OR l.poison OR l.spent THEN j.run_at ELSE least(j.run_at, p_now) END,
      finished_at = CASE WHEN l.cancelled OR l.poison OR l.spent THEN p_now END,
      worker = CASE WHEN l.cancelled OR l.poison OR l.spent THEN p_worker END,
      run_ms = CASE WHEN l.cancelled OR l.poison OR l.spent THEN p_now - l.at END,
      last_error = CASE WHEN l.cancelled THEN j.last_error WHEN l.poison THEN p_poison ELSE p_lost END
    FROM lost l WHERE j.id = l.id
    RETURNING j.id, j.kind, j.priority, j.state, j.epoch, j.attempt, j.deaths, j.flow, l.n, l.at, l.poison
  ), recorded AS (
    INSERT INTO attempt (id, epoch, attempt, worker, started_at, ended_at, outcome, error)
    SELECT d.id, d.epoch, d.attempt, p_worker, d.at, p_now, 'worker-lost', CASE WHEN d.poison THEN p_poison ELSE p_lost END
    FROM done d ON CONFLICT DO NOTHING
  ), back AS (
    INSERT INTO ready (seq, kind, rank, ids)
    SELECT v_base + d.n, d.kind, d.priority * 2, ARRAY[d.id] FROM done d WHERE d.state = 0 RETURNING kind, rank
  ), bands AS (
    INSERT INTO band (kind, rank) SELECT DISTINCT b.kind, b.rank FROM back b ON CONFLICT DO NOTHING
  ), logged AS (
    INSERT INTO finished (kind, state, at, ids)
    SELECT d.kind, d.state, p_now, array_agg(d.id ORDER BY d.n) FROM done d WHERE d.state > 0 GROUP BY d.kind, d.state
  ), counted AS (
    INSERT INTO delta (seq, at, kind, running, ready, cancelled, dead, failed)
    SELECT v_base, p_now, d.kind, -count(*), count(*) FILTER (WHERE d.state = 0), count(*) FILTER (WHERE d.state = 5),
      count(*) FILTER (WHERE d.state = 6), count(*) FROM done d GROUP BY d.kind
  )
  SELECT json_agg(json_build_array(d.id, k.type, k.queue, d.attempt, d.deaths, d.state) ORDER BY d.n),
    array_agg(d.id ORDER BY d.n) FILTER (WHERE d.state > 0 AND d.flow IS NOT NULL),
    array_agg(d.flow ORDER BY d.n) FILTER (WHERE d.state > 0 AND d.flow IS NOT NULL),
    array_agg(d.state ORDER BY d.n) FILTER (WHERE d.state > 0 AND d.flow IS NOT NULL)
  INTO v_back, v_ended, v_ended_flows, v_states
  FROM done d JOIN kind k ON k.kind = d.kind;
  -- A batch of which nothing is left to give back goes.
  DELETE FROM lease l WHERE l.worker = p_worker AND NOT EXISTS (
    SELECT FROM unnest(l.ids, l.epochs) AS u (id, epoch) JOIN job j ON j.id = u.id WHERE j.state = 0 AND j.epoch = u.epoch - 1);
  IF v_back IS NULL THEN RETURN; END IF;
  IF v_ended IS NULL THEN
    PERFORM wake(p_wake);
  ELSE
    SELECT * INTO v_moved FROM advance(p_now, json_array_length(v_back), v_ended, v_ended_flows, v_states, false);
    PERFORM tell(p_wake, true, v_moved.asked);
  END IF;
  RETURN QUERY SELECT (b ->> 0)::uuid, b ->> 1, b ->> 2, w.name, (b ->> 3)::int4, (b ->> 4)::int4, (b ->> 5)::int2
    FROM json_array_elements(v_back) AS b, worker w WHERE w.worker = p_worker;
END $$;

-- Ends the leases of workers that stopped beating.
CREATE FUNCTION rescue(p_now int8, p_wake text, p_max_deaths int4, p_limit int4, p_lost json, p_poison json)
RETURNS TABLE (id uuid, type text, queue text, worker text, attempt int4, deaths int4, state int2) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
  v_now int8 := now_ms(p_now);
  v_workers int4[];
  v_worker record;
  v_left int4 := p_limit;
  v_rows int4;
BEGIN
  SELECT array_agg(e.worker) INTO v_workers FROM (
    SELECT w.worker FROM worker w WHERE NOT w.cleared AND w.expires_at <= v_now ORDER BY w.worker FOR NO KEY UPDATE SKIP LOCKED) AS e;
  IF v_workers IS NULL THEN RETURN; END IF;
  -- All in one order, before the first worker's jobs are touched.
  PERFORM lock_flows((SELECT array_agg(u.id) FROM lease l, LATERAL unnest(l.ids) AS u (id) WHERE l.worker = ANY (v_workers)));
  FOR v_worker IN
    SELECT w.worker, w.expires_at FROM worker w WHERE w.worker = ANY (v_workers) ORDER BY w.expires_at, w.worker
  LOOP
    EXIT WHEN v_left <= 0;
    RETURN QUERY SELECT * FROM give_back(v_worker.worker, v_now, p_wake, p_max_deaths, v_left, p_lost, p_poison);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    v_left := v_left - v_rows;
    -- A claim that was on its way when the lease ended may commit after this look: only later can nothing come any more.
    IF v_left > 0 AND v_worker.expires_at < v_now - 120000
        AND NOT EXISTS (SELECT FROM lease l WHERE l.worker = v_worker.worker) THEN
      UPDATE worker w SET cleared = true WHERE w.worker = v_worker.worker;
    END IF;
  END LOOP;
END $$;

-- Extends a worker's lease, and keeps what it says that it claims. One that comes back after its lease has ended starts anew: what it held is given back first.
-- Answers its number, the time, which leases it has lost, and which jobs somebody wants cancelled.
CREATE FUNCTION beat(
  p_name text, p_label text, p_now int8, p_lease_ms int8, p_wake text, p_ids uuid[], p_epochs int4[], p_lids int8[], p_lost json,
  p_lanes text
) RETURNS TABLE (worker int4, now_at int8, lost uuid[], cancels uuid[]) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  v_now int8;
  v_worker int4;
  v_held boolean := true;
BEGIN
  -- The time is taken when nobody else decides about this lease any more.
  PERFORM FROM worker w WHERE w.name = p_name FOR NO KEY UPDATE;
  v_now := now_ms(p_now);
  UPDATE worker w SET beat_at = v_now, expires_at = v_now + p_lease_ms, label = p_label, lanes = coalesce(p_lanes, w.lanes)
  WHERE w.name = p_name AND w.expires_at > v_now RETURNING w.worker INTO v_worker;
  IF NOT FOUND THEN
    -- A lease that holds after all was made by a call beside this one, which may have claimed by now.
    SELECT w.worker, w.expires_at > v_now INTO v_worker, v_held FROM worker w WHERE w.name = p_name FOR NO KEY UPDATE;
    IF FOUND THEN
      IF NOT v_held THEN
        PERFORM give_back(v_worker, v_now, p_wake, 2147483647, 2147483647, p_lost, p_lost);
      END IF;
      UPDATE worker w SET beat_at = v_now, expires_at = v_now + p_lease_ms, label = p_label, cleared = false,
        lanes = coalesce(p_lanes, w.lanes)
      WHERE w.worker = v_worker;
    ELSE
      v_held := false;
      INSERT INTO worker AS w (name, label, started_at, beat_at, expires_at, lanes)
      VALUES (p_name, p_label, v_now, v_now, v_now + p_lease_ms, p_lanes)
      ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at, expires_at = excluded.expires_at
      RETURNING w.worker INTO v_worker;
    END IF;
  END IF;
  RETURN QUERY SELECT v_worker, v_now,
    (SELECT array_agg(u.id) FROM unnest(p_ids, p_epochs, p_lids) AS u (id, epoch, lid)
      WHERE NOT v_held OR NOT EXISTS (SELECT FROM lease l WHERE l.lid = u.lid AND l.worker = v_worker)
        OR NOT EXISTS (SELECT FROM job j WHERE j.id = u.id AND j.state = 0 AND j.epoch = u.epoch - 1)),
    (SELECT array_agg(u.id) FROM unnest(p_ids, p_epochs) AS u (id, epoch)
      JOIN job j ON j.id = u.id AND j.state = 0 AND j.epoch = u.epoch - 1 AND j.cancel_reason IS NOT NULL);
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
