-- The hot path: how workers take jobs. Functions, because their plans are kept by each session, prepared statements or not, and because the
-- planner must not choose by the size that a table had when it was first looked at: hence the settings.

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
-- heads of all bands of the wanted kinds, in small statements for the same reason. Answers nothing when that is not so, or when
-- there are other kinds than the p_known that the caller chose from: then `claim` finds out why. due_in: of the next delayed job.
CREATE FUNCTION claim_one(
  p_worker int4, p_lid int8, p_now int8, p_known int4, p_wanted int4[], p_kinds int4[], p_ranks int2[], p_heads int8[],
  OUT fields text, OUT payload text, OUT flow uuid, OUT due_in int8
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
    AND (SELECT count(*) FROM band b WHERE b.kind = ANY (p_wanted)) = cardinality(p_kinds)
    AND (SELECT count(*) FROM kind) = p_known;
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
  due_in := v_due - v_now;
END $$;
