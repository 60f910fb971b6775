-- The hot path: how attempts end. Functions, because their plans are kept by each session, prepared statements or not, and because the
-- planner must not choose by the size that a table had when it was first looked at: hence the settings.

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
