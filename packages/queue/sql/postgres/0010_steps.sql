-- How attempts of jobs of flows end, and those that end in a wait; signals.

-- Ends attempts of any jobs, also of flows, and in any way. Outcomes as in `settle_others`, and 0 complete, 6 wait. p_waits: a
-- JSON object for each wait, with its ordinal `n`. `done` are those that were this worker's to end.
CREATE FUNCTION settle_any(
  p_worker int4, p_now int8, p_wake text, p_quiet boolean, p_ids uuid[], p_epochs int4[], p_ran int4[], p_lids int8[], p_ended int8[],
  p_outcomes int2[], p_in_ms int8[], p_errors text[], p_reasons text[], p_results text, p_waits json,
  OUT done uuid[], OUT skipped uuid[], OUT ready boolean, OUT asked boolean
) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_lids int8[];
  v_flows uuid[];
  v_outcomes int2[] := p_outcomes;
  v_obeyed int4[];
  v_waiting uuid[];
  v_place int4 := cardinality(p_ids);
  v_done uuid[];
  v_ended uuid[];
  v_ended_flows uuid[];
  v_states int2[];
  v_look boolean;
  v_loud boolean;
  v_moved record;
BEGIN
  done := '{}';
  skipped := '{}';
  ready := false;
  asked := false;
  IF NOT EXISTS (SELECT FROM worker w WHERE w.worker = p_worker AND w.expires_at > v_now) THEN
    v_now := held_until(p_worker, p_now);
    IF v_now IS NULL THEN RETURN; END IF;
  END IF;
  v_lids := ARRAY (SELECT l.lid FROM lease l WHERE l.lid = ANY (p_lids) AND l.worker = p_worker);
  -- Flows of those that will have a child and have none yet.
  IF p_waits IS NOT NULL THEN
    INSERT INTO flow (id, name, tenant, created_at)
    SELECT j.id, k.type, j.tenant, v_now
    FROM json_to_recordset(p_waits) AS w (n int4, child json), LATERAL (SELECT * FROM job WHERE job.id = p_ids[w.n] OFFSET 0) AS j,
      LATERAL (SELECT kind.type FROM kind WHERE kind.kind = j.kind) AS k
    WHERE w.child IS NOT NULL AND j.flow IS NULL AND j.state = 0 AND j.epoch = p_epochs[w.n] - 1 ORDER BY j.id ON CONFLICT DO NOTHING;
  END IF;
  v_flows := lock_flows(p_ids);
  IF p_waits IS NOT NULL THEN
    SELECT coalesce(array_agg(l.id) FILTER (WHERE l.cancel_reason IS NULL), '{}'), array_agg(l.n) FILTER (WHERE l.cancel_reason IS NOT NULL)
    INTO v_waiting, v_obeyed
    FROM (
      SELECT j.id, j.cancel_reason, u.n FROM unnest(p_ids, p_epochs, p_lids, p_outcomes) WITH ORDINALITY AS u (id, epoch, lid, outcome, n)
        JOIN job j ON j.id = u.id
      WHERE u.outcome = 6 AND j.state = 0 AND j.epoch = u.epoch - 1 AND (j.flow IS NULL OR j.flow = ANY (v_flows))
        AND u.lid = ANY (v_lids)
      ORDER BY j.id FOR NO KEY UPDATE OF j) AS l;
    -- Whoever asked to cancel it in the meantime is obeyed instead.
    v_outcomes := ARRAY (SELECT CASE WHEN u.n = ANY (v_obeyed) THEN 3 ELSE u.outcome END FROM unnest(p_outcomes) WITH ORDINALITY AS u (outcome, n) ORDER BY u.n);
    SELECT w.ready, w.place INTO ready, v_place FROM settle_waits(p_worker, v_now, v_place, p_ids, p_epochs, p_ran, v_waiting, p_waits) AS w;
    done := v_waiting;
    -- Those that were not this worker's after all.
    DELETE FROM flow f WHERE f.total = 0 AND f.id = ANY (p_ids);
  END IF;

  IF 0 = ALL (p_outcomes) THEN
    WITH done AS (
      UPDATE job j SET state = 4, epoch = u.epoch, attempt = j.attempt + 1, finished_at = v_now, worker = p_worker, run_ms = u.ran,
        result = nullif(u.result, '')::json
      FROM unnest(p_ids, p_epochs, p_ran, p_lids, string_to_array(p_results, E'\x1e')) AS u (id, epoch, ran, lid, result)
      WHERE u.lid = ANY (v_lids) AND j.id = u.id AND j.state = 0 AND j.epoch = u.epoch - 1 AND (j.flow IS NULL OR j.flow = ANY (v_flows))
      RETURNING j.id, j.kind, j.flow, j.cancel_reason IS NOT NULL AS asked
    ), logged AS (
      INSERT INTO finished (kind, state, at, ids) SELECT d.kind, 4, v_now, array_agg(d.id) FROM done d GROUP BY d.kind
    ), counted AS (
      INSERT INTO delta (seq, at, kind, running, completed)
      SELECT base_seq(), v_now, d.kind, -count(*), count(*) FROM done d GROUP BY d.kind
    )
    SELECT coalesce(array_agg(d.id), '{}'), coalesce(array_agg(d.id) FILTER (WHERE d.flow IS NOT NULL), '{}'),
      coalesce(array_agg(d.flow) FILTER (WHERE d.flow IS NOT NULL), '{}'), coalesce(bool_or(d.asked), false)
    INTO v_done, v_ended, v_ended_flows, v_look FROM done d;
    v_states := array_fill(4::int2, ARRAY[cardinality(v_ended)]);
    v_loud := false;
  ELSE
    SELECT e.* INTO v_done, v_ended, v_ended_flows, v_states, v_look, v_loud
    FROM end_attempts(p_worker, v_now, p_ids, p_epochs, p_ran, p_lids, v_outcomes, p_in_ms, p_errors, p_reasons, p_results, v_flows) AS e;
  END IF;
  done := done || v_done;
  IF cardinality(done) = cardinality(p_ids) THEN
    DELETE FROM lease WHERE lid = ANY (p_ended) AND worker = p_worker;
  END IF;
  IF cardinality(v_ended) > 0 THEN
    SELECT * INTO v_moved FROM advance(v_now, v_place, v_ended, v_ended_flows, v_states, v_look);
    skipped := v_moved.skipped;
    ready := ready OR v_moved.ready;
    asked := v_moved.asked;
  END IF;
  IF cardinality(done) > 0 AND (NOT p_quiet OR ready OR asked OR v_loud OR cardinality(skipped) > 0) THEN
    PERFORM tell(p_wake, ready, asked);
  END IF;
END $$;

-- Ends attempts in a wait; p_waiting are the jobs, whose rows are locked. Answers whether any is ready again at once, and up
-- to where ordinals are used.
CREATE FUNCTION settle_waits(
  p_worker int4, p_now int8, p_place int4, p_ids uuid[], p_epochs int4[], p_ran int4[], p_waiting uuid[], p_waits json,
  OUT ready boolean, OUT place int4
) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_wait record;
  v_child uuid;
  v_children jsonb := '{}';
  v_come boolean;
  v_paused uuid[];
  v_paused_epochs int4[];
BEGIN
  ready := false;
  place := p_place;
  FOR v_wait IN
    SELECT p_ids[w.n] AS id, w.* FROM json_to_recordset(p_waits) AS w (n int4, name text, kind text, child json)
    WHERE w.kind = 'job' AND p_ids[w.n] = ANY (p_waiting) ORDER BY w.n
  LOOP
    -- The earlier one, when an attempt before has come here already; then there may be none with this wait.
    SELECT s.child INTO v_child FROM step s WHERE s.id = v_wait.id AND s.name = v_wait.name;
    IF v_child IS NULL THEN
      CONTINUE WHEN v_wait.child IS NULL;
      v_child := (v_wait.child ->> 'id')::uuid;
      ready := add_child(p_now, place, v_wait.id, v_wait.name, v_wait.child) OR ready;
      place := place + 1;
    END IF;
    v_children := v_children || jsonb_build_object(v_wait.n, v_child);
  END LOOP;
  WITH wait AS MATERIALIZED (
    SELECT w.*, p_ids[w.n] AS id, p_epochs[w.n] AS epoch, p_ran[w.n] AS ran, coalesce(w.until, p_now + w.in_ms) AS wake_at,
      (v_children ->> w.n::text)::uuid AS child,
      coalesce(w.until, p_now + w.in_ms) <= p_now
        OR (w.signal IS NOT NULL AND EXISTS (SELECT FROM signal s WHERE s.job = p_ids[w.n] AND s.name = w.signal AND NOT s.taken))
        OR (v_children ? w.n::text AND NOT EXISTS (SELECT FROM job k WHERE k.id = (v_children ->> w.n::text)::uuid AND k.state < 4)) AS come
    FROM json_to_recordset(p_waits) AS w (n int4, name text, ordinal int4, kind text, signal text, in_ms int8, until int8)
    WHERE p_ids[w.n] = ANY (p_waiting)
  ), done AS (
    UPDATE job j SET epoch = w.epoch, state = CASE WHEN w.come OR w.wake_at IS NOT NULL THEN 0 ELSE 3 END,
      run_at = CASE WHEN w.come THEN p_now ELSE coalesce(w.wake_at, p_now) END,
      place = CASE WHEN w.come THEN base_seq() + w.n ELSE 0 END
    FROM wait w WHERE j.id = w.id
    RETURNING j.id, j.kind, j.priority, j.state, j.epoch, j.attempt, j.run_at, w.n, w.ran, coalesce(w.come, false) AS come,
      w.ordinal, w.wake_at, w.child, w.name, w.kind AS step_kind, w.signal
  ), kept AS (
    INSERT INTO step AS s (id, ordinal, attempt, epoch, parked, started_at, wake_at, child, name, kind, state, signal)
    SELECT d.id, d.ordinal, d.attempt + 1, d.epoch, d.epoch, p_now, d.wake_at, d.child, d.name, d.step_kind, 'waiting', d.signal
    FROM done d
    ON CONFLICT (id, name) DO UPDATE SET ordinal = excluded.ordinal, attempt = excluded.attempt, epoch = excluded.epoch, parked = excluded.parked,
      -- It goes on waiting since when it began.
      started_at = CASE WHEN s.state = 'waiting' THEN s.started_at ELSE excluded.started_at END,
      ended_at = NULL, wake_at = excluded.wake_at, child = excluded.child, kind = excluded.kind, state = excluded.state,
      signal = excluded.signal, result = NULL, error = NULL
  ), recorded AS (
    INSERT INTO attempt (id, epoch, attempt, worker, started_at, ended_at, outcome)
    SELECT d.id, d.epoch, d.attempt + 1, p_worker, p_now - d.ran, p_now, 'waited' FROM done d ON CONFLICT DO NOTHING
  ), back AS (
    INSERT INTO ready (seq, kind, rank, ids) SELECT base_seq() + d.n, d.kind, d.priority * 2 + 1, ARRAY[d.id] FROM done d WHERE d.come
  ), later AS (
    INSERT INTO delayed (kind, run_at, id, rank)
    SELECT d.kind, d.run_at, d.id, d.priority * 2 + 1 FROM done d WHERE d.state = 0 AND NOT d.come
  ), bands AS (
    INSERT INTO band (kind, rank) SELECT DISTINCT d.kind, d.priority * 2 + 1 FROM done d
    WHERE NOT EXISTS (SELECT FROM band b WHERE b.kind = d.kind AND b.rank = d.priority * 2 + 1) ON CONFLICT DO NOTHING
  ), counted AS (
    INSERT INTO delta (seq, at, kind, running, ready, delayed, blocked)
    SELECT base_seq(), p_now, d.kind, -count(*), count(*) FILTER (WHERE d.come), count(*) FILTER (WHERE d.state = 0 AND NOT d.come),
      count(*) FILTER (WHERE d.state = 3)
    FROM done d GROUP BY d.kind
  )
  SELECT coalesce(bool_or(d.come), false), array_agg(d.id) FILTER (WHERE d.epoch > 100), array_agg(d.epoch) FILTER (WHERE d.epoch > 100)
  INTO v_come, v_paused, v_paused_epochs FROM done d;
  ready := ready OR v_come;
  IF v_paused IS NOT NULL THEN PERFORM forget_pauses(v_paused, v_paused_epochs); END IF;
END $$;

-- Stores the child that a job waits for, under the job's name and the step's.
CREATE FUNCTION add_child(p_now int8, p_place int4, p_job uuid, p_name text, p_child json) RETURNS boolean LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_child uuid := p_child ->> 'id';
  v_flow uuid;
  v_base text;
  v_name text;
  v_count int4 := 1;
  v_ready int4;
BEGIN
  SELECT j.flow INTO v_flow FROM job j WHERE j.id = p_job;
  IF v_flow IS NULL THEN
    v_flow := p_job;
    PERFORM begin_flow(p_job);
  END IF;
  SELECT n.name || '/' || p_name INTO v_base FROM node n WHERE n.id = p_job;
  v_name := v_base;
  WHILE EXISTS (SELECT FROM node n WHERE n.flow = v_flow AND n.name = v_name) LOOP
    v_count := v_count + 1;
    v_name := v_base || '#' || v_count;
  END LOOP;
  v_ready := add_nodes(p_now, v_flow, p_place, ARRAY[v_child], ARRAY[v_name], '{2}', ARRAY[p_child ->> 'payload'], ARRAY[p_child ->> 'tenant'],
    ARRAY[(p_child ->> 'kind')::int4], ARRAY[(p_child ->> 'priority')::int2], ARRAY[(p_child ->> 'maxAttempts')::int2],
    ARRAY[(p_child ->> 'runAt')::int8], ARRAY[(p_child ->> 'delayMs')::int8], ARRAY[(p_child ->> 'origin')::uuid], '{0}', '{}', '{}', false);
  INSERT INTO edge (parent, child, awaited) VALUES (v_child, p_job, true);
  IF p_child -> 'attributes' IS NOT NULL THEN
    PERFORM keep_attributes(ARRAY[v_child], json_build_object('1', p_child -> 'attributes'));
  END IF;
  RETURN v_ready > 0;
END $$;

-- Keeps a signal for a job, and wakes the job when it waits for one of this name.
CREATE FUNCTION send_signal(p_now int8, p_wake text, p_id uuid, p_job uuid, p_name text, p_payload text, p_most int4, OUT answer text, OUT ready boolean)
LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_job job;
BEGIN
  ready := false;
  SELECT * INTO v_job FROM job j WHERE j.id = p_job FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    answer := 'not-found';
  ELSIF EXISTS (SELECT FROM signal s WHERE s.job = p_job AND s.id = p_id) THEN
    answer := 'duplicate';
  ELSIF v_job.state >= 4 THEN
    answer := 'already-finished';
  ELSIF (SELECT count(*) FROM (SELECT FROM signal s WHERE s.job = p_job AND NOT s.taken LIMIT p_most) AS kept) >= p_most THEN
    answer := 'full';
  ELSE
    INSERT INTO signal (id, job, at, name, payload) VALUES (p_id, p_job, v_now, p_name, p_payload::json);
    answer := 'delivered';
    IF EXISTS (SELECT FROM step s WHERE s.id = p_job AND s.parked = v_job.epoch AND s.signal = p_name) THEN
      ready := make_ready(v_now, 0, ARRAY[p_job], true) > 0;
    END IF;
    IF ready THEN PERFORM wake(p_wake); END IF;
  END IF;
END $$;
