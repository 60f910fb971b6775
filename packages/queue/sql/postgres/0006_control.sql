-- What people do to jobs: cancel, reschedule, redrive, remove, prune.

-- Takes a live job out of where it waits, with its row locked by the caller. Answers 'ready' or 'delayed', or 'running'
-- when it waits no more.
CREATE FUNCTION take_waiting(p_job job) RETURNS text LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_row record;
BEGIN
  LOOP
    SELECT r.ctid AS tid, r.* INTO v_row FROM ready r
    WHERE r.kind = p_job.kind AND r.rank IN (p_job.priority * 2, p_job.priority * 2 + 1) AND r.seq = p_job.place
      AND p_job.id = ANY (r.ids) LIMIT 1 FOR UPDATE;
    IF FOUND THEN
      DELETE FROM ready WHERE ctid = v_row.tid;
      IF cardinality(v_row.ids) > 1 THEN
        INSERT INTO ready (seq, kind, rank, ids) VALUES (v_row.seq, v_row.kind, v_row.rank, array_remove(v_row.ids, p_job.id));
      END IF;
      RETURN 'ready';
    END IF;
    DELETE FROM delayed d WHERE d.kind = p_job.kind AND d.run_at = p_job.run_at AND d.id = p_job.id;
    IF FOUND THEN RETURN 'delayed'; END IF;
    IF EXISTS (SELECT FROM lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch)
        WHERE l.ids @> ARRAY[p_job.id] AND u.id = p_job.id AND u.epoch = p_job.epoch + 1)
      THEN RETURN 'running';
    END IF;
    -- Its row in `ready` was being rewritten, or its lease has appeared only now: look again.
    PERFORM pg_sleep(0.001);
    SELECT * INTO p_job FROM job WHERE id = p_job.id;
  END LOOP;
END $$;

-- Cancels what waits, and asks what runs to stop; `asked` says whether any is. What depends on cancelled jobs goes with
-- them (`skipped`); `ready`: others may run now.
CREATE FUNCTION cancel_jobs(
  p_now int8, p_wake text, p_ids uuid[], p_reason text,
  OUT answers text[], OUT skipped uuid[], OUT ready boolean, OUT asked boolean
) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_flows uuid[] := lock_flows(p_ids);
  v_id record;
  v_job job;
  v_where text;
  v_ended uuid[] := '{}';
  v_ended_flows uuid[] := '{}';
  v_moved record;
BEGIN
  answers := array_fill(''::text, ARRAY[cardinality(p_ids)]);
  FOR v_id IN SELECT id, n FROM unnest(p_ids) WITH ORDINALITY AS u (id, n) ORDER BY id LOOP
    SELECT * INTO v_job FROM job WHERE id = v_id.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      answers[v_id.n] := 'not-found';
    ELSIF v_job.state >= 4 THEN
      answers[v_id.n] := 'already-finished';
    ELSE
      PERFORM check_locked(v_job.flow, v_flows);
      v_where := CASE v_job.state WHEN 3 THEN 'blocked' ELSE take_waiting(v_job) END;
      IF v_where = 'running' THEN
        UPDATE job SET cancel_reason = coalesce(cancel_reason, p_reason) WHERE id = v_id.id;
        answers[v_id.n] := 'requested';
      ELSE
        UPDATE job SET state = 5, finished_at = v_now, cancel_reason = p_reason WHERE id = v_id.id;
        INSERT INTO finished (kind, state, at, ids) VALUES (v_job.kind, 5, v_now, ARRAY[v_id.id]);
        INSERT INTO delta (seq, at, kind, ready, delayed, blocked, cancelled) VALUES (base_seq(), v_now, v_job.kind,
          -(v_where = 'ready')::int4, -(v_where = 'delayed')::int4, -(v_where = 'blocked')::int4, 1);
        IF v_job.flow IS NOT NULL THEN
          UPDATE node SET waits = 0, skipped = false WHERE node.id = v_id.id;
          v_ended := v_ended || v_id.id;
          v_ended_flows := v_ended_flows || v_job.flow;
        END IF;
        answers[v_id.n] := 'cancelled';
      END IF;
    END IF;
  END LOOP;
  SELECT * INTO v_moved FROM advance(v_now, 0, v_ended, v_ended_flows, array_fill(5::int2, ARRAY[cardinality(v_ended)]), false);
  skipped := v_moved.skipped;
  ready := v_moved.ready;
  asked := v_moved.asked OR 'requested' = ANY (answers);
  IF 'requested' = ANY (answers) THEN PERFORM nextval('cancel_seq'); END IF;
  IF asked OR 'cancelled' = ANY (answers) THEN PERFORM tell(p_wake, ready, asked); END IF;
END $$;

CREATE FUNCTION reschedule_jobs(p_now int8, p_wake text, p_ids uuid[], p_run_at int8[], p_priorities int2[], p_queues text[])
RETURNS text[] LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_change record;
  v_job job;
  v_where text;
  v_run_at int8;
  v_priority int2;
  v_kind int4;
  v_place int8;
  v_answers text[] := array_fill(''::text, ARRAY[cardinality(p_ids)]);
BEGIN
  -- Not for their sake: whoever moves several jobs of a flow locks it first, so that no two wait for each other.
  PERFORM lock_flows(p_ids);
  FOR v_change IN
    SELECT * FROM unnest(p_ids, p_run_at, p_priorities, p_queues) WITH ORDINALITY AS u (id, run_at, priority, queue, n) ORDER BY id, n
  LOOP
    SELECT * INTO v_job FROM job WHERE id = v_change.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      v_answers[v_change.n] := 'not-found';
      CONTINUE;
    END IF;
    v_where := CASE WHEN v_job.state = 0 THEN take_waiting(v_job) ELSE 'finished' END;
    IF v_where NOT IN ('ready', 'delayed') THEN
      v_answers[v_change.n] := 'not-queued';
      CONTINUE;
    END IF;
    v_run_at := coalesce(v_change.run_at, v_job.run_at);
    v_priority := coalesce(v_change.priority, v_job.priority);
    v_kind := CASE WHEN v_change.queue IS NULL THEN v_job.kind
      ELSE kind_of(v_change.queue, (SELECT k.type FROM kind k WHERE k.kind = v_job.kind)) END;
    v_place := CASE WHEN v_run_at <= v_now THEN base_seq() + v_change.n ELSE 0 END;
    UPDATE job SET run_at = v_run_at, priority = v_priority, kind = v_kind, place = v_place WHERE id = v_change.id;
    IF v_place > 0 THEN
      INSERT INTO ready (seq, kind, rank, ids) VALUES (v_place, v_kind, v_priority * 2 + 1, ARRAY[v_change.id]);
    ELSE
      INSERT INTO delayed (kind, run_at, id, rank) VALUES (v_kind, v_run_at, v_change.id, v_priority * 2 + 1);
    END IF;
    INSERT INTO band (kind, rank) VALUES (v_kind, v_priority * 2 + 1) ON CONFLICT DO NOTHING;
    INSERT INTO delta (seq, at, kind, ready, delayed) VALUES
      (base_seq(), v_now, v_job.kind, -(v_where = 'ready')::int4, -(v_where = 'delayed')::int4),
      (base_seq(), v_now, v_kind, (v_place > 0)::int4, (v_place = 0)::int4);
    v_answers[v_change.n] := 'changed';
  END LOOP;
  IF 'changed' = ANY (v_answers) THEN PERFORM wake(p_wake); END IF;
  RETURN v_answers;
END $$;

-- Back to the queue with the same id and payload. The attempts before stay in the job's history. In a flow, those come
-- back too that were skipped, as far as nothing bad is left above them.
CREATE FUNCTION redrive_jobs(p_now int8, p_wake text, p_ids uuid[], p_forget boolean DEFAULT false) RETURNS text[] LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_flows uuid[] := lock_flows(p_ids);
  v_live uuid[];
  v_over uuid[];
  v_named uuid[];
  v_back uuid[];
  v_answers text[];
BEGIN
  SELECT coalesce(array_agg(l.id) FILTER (WHERE l.state < 4), '{}'), coalesce(array_agg(l.id) FILTER (WHERE l.state >= 4), '{}'),
    coalesce(array_agg(DISTINCT l.flow) FILTER (WHERE l.state >= 4 AND l.flow IS NOT NULL), '{}')
  INTO v_live, v_over, v_flows
  FROM (SELECT j.id, j.state, j.flow, check_locked(j.flow, v_flows) FROM job j WHERE j.id = ANY (p_ids) ORDER BY j.id FOR NO KEY UPDATE) AS l;
  SELECT array_agg(CASE WHEN u.first AND u.id IN (SELECT unnest(v_over)) THEN 'redriven'
      WHEN u.id IN (SELECT unnest(v_live || v_over)) THEN 'not-finished' ELSE 'not-found' END ORDER BY u.n),
    array_agg(u.id ORDER BY u.n) FILTER (WHERE u.first AND u.id IN (SELECT unnest(v_over)))
  INTO v_answers, v_named
  FROM (SELECT u.id, u.n, row_number() OVER (PARTITION BY u.id ORDER BY u.n) = 1 AS first FROM unnest(p_ids) WITH ORDINALITY AS u (id, n)) AS u;
  IF v_named IS NULL THEN RETURN v_answers; END IF;
  v_back := v_named || revivable(v_flows, v_named);
  -- Flows that end anew, and what is over of them.
  WITH gone AS MATERIALIZED (
    SELECT j.flow, j.state, n.on_failure, n.skipped FROM unnest(v_back) AS u (id) JOIN job j ON j.id = u.id JOIN node n ON n.id = j.id
  )
  UPDATE flow f SET completed = f.completed - c.completed, cancelled = f.cancelled - c.cancelled, dead = f.dead - c.dead,
    failed = f.failed - c.failed, stopped = f.stopped - c.stopped, state = 0, finished_at = NULL, cancel_reason = NULL
  FROM (
    SELECT g.flow, count(*) FILTER (WHERE g.state = 4) AS completed, count(*) FILTER (WHERE g.state = 5) AS cancelled,
      count(*) FILTER (WHERE g.state = 6) AS dead, count(*) FILTER (WHERE g.state = 6 AND g.on_failure = 0) AS failed,
      count(*) FILTER (WHERE g.state = 5 AND NOT g.skipped) AS stopped
    FROM gone g GROUP BY g.flow) AS c
  WHERE f.id = c.flow;
  INSERT INTO attempt (id, epoch, attempt, worker, started_at, ended_at, outcome)
  SELECT j.id, j.epoch, j.attempt, j.worker, j.finished_at - j.run_ms, j.finished_at, 'completed'
  FROM unnest(v_back) AS u (id) JOIN job j ON j.id = u.id AND j.state = 4 ON CONFLICT DO NOTHING;
  DELETE FROM step s USING unnest(v_named) AS u (id), job j WHERE s.id = u.id AND j.id = u.id AND (p_forget OR j.state = 4);
  -- Those that stand are waited in no more.
  UPDATE step s SET parked = NULL FROM unnest(v_back) AS u (id) WHERE s.id = u.id AND s.parked IS NOT NULL;
  DELETE FROM progress p USING unnest(v_back) AS u (id) WHERE p.id = u.id;
  INSERT INTO delta (seq, at, kind, blocked, completed, cancelled, dead)
  SELECT base_seq(), v_now, j.kind, count(*), -count(*) FILTER (WHERE j.state = 4), -count(*) FILTER (WHERE j.state = 5),
    -count(*) FILTER (WHERE j.state = 6)
  FROM unnest(v_back) AS u (id) JOIN job j ON j.id = u.id GROUP BY j.kind;
  -- Their entries in the order of ends are blanked, not removed: who pages through it counts places. Left as they are, they would
  -- count again for a job that ends the same way in the same millisecond.
  WITH hit AS MATERIALIZED (
    SELECT f.ctid AS tid, array_agg(CASE WHEN u.id IN (SELECT unnest(v_back)) THEN '00000000-0000-0000-0000-000000000000' ELSE u.id END
        ORDER BY u.n) AS ids, bool_or(u.id IN (SELECT unnest(v_back))) AS any
    FROM (SELECT DISTINCT j.kind, j.state, j.finished_at AS at FROM unnest(v_back) AS u (id) JOIN job j ON j.id = u.id) AS g,
      LATERAL (SELECT e.ctid, e.ids FROM finished e WHERE e.kind = g.kind AND e.state = g.state AND e.at = g.at) AS f,
      LATERAL unnest(f.ids) WITH ORDINALITY AS u (id, n)
    GROUP BY f.ctid
  )
  UPDATE finished f SET ids = h.ids FROM hit h WHERE f.ctid = h.tid AND h.any;
  -- One that was skipped before it had begun still has its time before it.
  UPDATE job j SET state = 3, place = 0, attempt = 0,
    run_at = CASE WHEN j.epoch = 0 AND j.run_at > v_now AND EXISTS (SELECT FROM node n WHERE n.id = j.id AND n.skipped) THEN j.run_at ELSE v_now END, deaths = 0, redrives = j.redrives + 1,
    finished_at = NULL, worker = NULL, run_ms = NULL, cancel_reason = NULL, result = NULL
  FROM unnest(v_back) AS u (id) WHERE j.id = u.id;
  IF cardinality(v_flows) > 0 THEN
    UPDATE node n SET skipped = false, waits = (
      SELECT count(*) FROM edge e JOIN job p ON p.id = e.parent WHERE e.child = n.id AND NOT e.awaited AND p.state < 4)
    FROM unnest(v_back) AS u (id) WHERE n.id = u.id;
    UPDATE node n SET waits = n.waits + c.more
    FROM (
      SELECT e.child, count(*) AS more FROM unnest(v_back) AS u (id) JOIN edge e ON e.parent = u.id
      WHERE NOT e.awaited AND e.child NOT IN (SELECT unnest(v_back)) GROUP BY e.child) AS c
    WHERE n.id = c.child AND n.waits > 0;
  END IF;
  PERFORM make_ready(v_now, 0, ARRAY (
    SELECT u.id FROM unnest(v_back) WITH ORDINALITY AS u (id, n) LEFT JOIN node ON node.id = u.id
    WHERE coalesce(node.waits, 0) = 0 ORDER BY u.n), false);
  PERFORM wake(p_wake);
  RETURN v_answers;
END $$;

-- Deletes what stands about jobs outside their own rows. A key is kept at least a day, however soon its job goes.
CREATE FUNCTION forget(p_now int8, p_ids uuid[], p_tenants text[], p_keys text[]) RETURNS void LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_flows uuid[];
BEGIN
  DELETE FROM attempt WHERE id = ANY (p_ids);
  DELETE FROM log WHERE id = ANY (p_ids);
  DELETE FROM progress WHERE id = ANY (p_ids);
  DELETE FROM step WHERE id = ANY (p_ids);
  WITH unfound AS (
    DELETE FROM attribute WHERE id = ANY (p_ids)
  )
  DELETE FROM signal WHERE job = ANY (p_ids);
  UPDATE idempotency i SET expires_at = greatest(p_now, i.created_at + 86400000)
  FROM unnest(p_ids, p_tenants, p_keys) AS u (id, tenant, key)
  WHERE u.key IS NOT NULL AND i.tenant = u.tenant AND i.key = u.key AND i.id = u.id;
  WITH gone AS (
    DELETE FROM node WHERE id = ANY (p_ids) RETURNING flow
  )
  SELECT array_agg(DISTINCT flow) INTO v_flows FROM gone;
  IF v_flows IS NULL THEN RETURN; END IF;
  DELETE FROM edge WHERE parent = ANY (p_ids);
  DELETE FROM edge WHERE child = ANY (p_ids);
  -- A flow goes with its last job.
  WITH gone AS (
    DELETE FROM flow f WHERE f.id = ANY (v_flows) AND NOT EXISTS (SELECT FROM node n WHERE n.flow = f.id)
    RETURNING f.id, f.tenant, f.idempotency_key AS key
  )
  UPDATE flow_key i SET expires_at = greatest(p_now, i.created_at + 86400000)
  FROM gone g WHERE i.tenant = g.tenant AND i.key = g.key AND i.id = g.id;
END $$;

CREATE FUNCTION remove_jobs(p_now int8, p_ids uuid[]) RETURNS text[] LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_flows uuid[] := lock_flows(p_ids);
  v_id record;
  v_job job;
  v_where text;
  v_answers text[] := array_fill(''::text, ARRAY[cardinality(p_ids)]);
BEGIN
  FOR v_id IN SELECT id, n FROM unnest(p_ids) WITH ORDINALITY AS u (id, n) ORDER BY id, n LOOP
    SELECT * INTO v_job FROM job WHERE id = v_id.id FOR UPDATE;
    IF NOT FOUND THEN
      v_answers[v_id.n] := 'not-found';
      CONTINUE;
    END IF;
    PERFORM check_locked(v_job.flow, v_flows);
    IF v_job.flow IS NOT NULL AND EXISTS (SELECT FROM flow f WHERE f.id = v_job.flow AND f.finished_at IS NULL) THEN
      v_answers[v_id.n] := CASE WHEN v_job.state = 0 AND EXISTS (
        SELECT FROM lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch) WHERE u.id = v_id.id AND u.epoch = v_job.epoch + 1)
        THEN 'running' ELSE 'in-flow' END;
      CONTINUE;
    END IF;
    v_where := CASE v_job.state WHEN 0 THEN take_waiting(v_job) WHEN 3 THEN 'blocked' ELSE 'finished' END;
    IF v_where = 'running' THEN
      v_answers[v_id.n] := 'running';
      CONTINUE;
    END IF;
    DELETE FROM job WHERE id = v_id.id;
    PERFORM forget(v_now, ARRAY[v_id.id], ARRAY[v_job.tenant], ARRAY[v_job.idempotency_key]);
    INSERT INTO delta (seq, at, kind, ready, delayed, blocked, completed, cancelled, dead) VALUES (base_seq(), v_now, v_job.kind,
      -(v_where = 'ready')::int4, -(v_where = 'delayed')::int4, -(v_where = 'blocked')::int4, -(v_job.state = 4)::int4,
      -(v_job.state = 5)::int4, -(v_job.state = 6)::int4);
    v_answers[v_id.n] := 'removed';
  END LOOP;
  RETURN v_answers;
END $$;

-- Deletes up to p_limit finished jobs of one kind and state, the oldest first: those that finished by p_until, and as
-- many more as there are too many. Those of a flow that has not finished stay, but count among those: else as many younger ones
-- would go in their place. What is noted of jobs that were removed or redriven goes as well, and is `seen` like those `removed`.
CREATE FUNCTION prune_jobs(
  p_now int8, p_kind int4, p_state int2, p_until int8, p_excess int8, p_limit int4, OUT removed int4, OUT seen int4
) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_row record;
  v_over uuid[];
  v_most int8;
  v_take uuid[];
  v_rest uuid[];
  v_stay int4;
  v_all boolean;
  v_ids uuid[];
  v_tenants text[];
  v_keys text[];
  -- Jobs that stay or have gone, up to where the walk is.
  v_walked int8 := 0;
  -- Jobs that stay are walked over each time; not over any number of them.
  v_patience int4 := 100000;
BEGIN
  removed := 0;
  seen := 0;
  FOR v_row IN
    SELECT f.ctid AS tid, f.* FROM finished f WHERE f.kind = p_kind AND f.state = p_state ORDER BY f.at, f.seq FOR UPDATE SKIP LOCKED
  LOOP
    -- Its flow must not go on while its jobs go; one that does not finish just now is left for later.
    v_over := ARRAY (
      SELECT f.id FROM flow f WHERE f.finished_at IS NOT NULL AND f.id = ANY (ARRAY (
        SELECT i.flow FROM job i WHERE i.id = ANY (v_row.ids) AND i.flow IS NOT NULL)) FOR NO KEY UPDATE SKIP LOCKED);
    v_most := CASE WHEN v_row.at <= p_until THEN 9223372036854775807 ELSE greatest(p_excess - v_walked, 0) END;
    SELECT array_agg(p.id ORDER BY p.n) FILTER (WHERE p.within AND NOT p.stays),
      array_agg(p.id ORDER BY p.n) FILTER (WHERE p.stays OR NOT p.within),
      count(*) FILTER (WHERE p.within AND p.stays), bool_and(p.within)
    INTO v_take, v_rest, v_stay, v_all
    FROM (
      SELECT e.id, e.n, e.stays, count(*) FILTER (WHERE e.there) OVER w <= v_most AND count(*) FILTER (WHERE NOT e.stays) OVER w <= p_limit - seen AS within
      FROM (
        -- A job that was redriven has an entry of its own for its later end.
        SELECT u.id, u.n, j.id IS NOT NULL AS there, j.flow IS NOT NULL AND j.flow <> ALL (v_over) AS stays
        FROM unnest(v_row.ids) WITH ORDINALITY AS u (id, n)
          LEFT JOIN job j ON j.id = u.id AND j.state = p_state AND j.finished_at = v_row.at
      ) AS e WINDOW w AS (ORDER BY e.n)) AS p;
    v_walked := v_walked + v_stay;
    v_patience := v_patience - v_stay;
    IF v_take IS NOT NULL THEN
      WITH gone AS (
        DELETE FROM job j WHERE j.id = ANY (v_take) AND j.state = p_state AND j.finished_at = v_row.at
        RETURNING j.id, j.tenant, j.idempotency_key
      )
      SELECT array_agg(g.id), array_agg(g.tenant), array_agg(g.idempotency_key) INTO v_ids, v_tenants, v_keys FROM gone g;
      DELETE FROM finished WHERE ctid = v_row.tid;
      IF v_rest IS NOT NULL THEN
        INSERT INTO finished (kind, state, at, seq, ids) VALUES (p_kind, p_state, v_row.at, v_row.seq, v_rest);
      END IF;
      seen := seen + cardinality(v_take);
      IF v_ids IS NOT NULL THEN
        PERFORM forget(p_now, v_ids, v_tenants, v_keys);
        v_walked := v_walked + cardinality(v_ids);
        removed := removed + cardinality(v_ids);
      END IF;
    END IF;
    EXIT WHEN NOT v_all OR seen >= p_limit OR v_patience <= 0;
  END LOOP;
  IF removed > 0 THEN
    INSERT INTO delta (seq, at, kind, completed, cancelled, dead) VALUES (base_seq(), p_now, p_kind,
      CASE p_state WHEN 4 THEN -removed ELSE 0 END, CASE p_state WHEN 5 THEN -removed ELSE 0 END, CASE p_state WHEN 6 THEN -removed ELSE 0 END);
  END IF;
END $$;

-- Partitions of `job`, a week each from Monday on, by the time in the id: the week of p_first (epoch ms) and p_ahead more.
-- A week that has rows in `job_other` stays there.
CREATE FUNCTION make_weeks(p_first int8, p_ahead int4) RETURNS int4 LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  v_week int8 := week_of(p_first);
  v_name text;
  v_made int4 := 0;
BEGIN
  FOR v_week IN SELECT v_week + n * 604800000::int8 FROM generate_series(0, p_ahead) AS n LOOP
    v_name := 'job_' || to_char(to_timestamp(v_week / 1000) AT TIME ZONE 'UTC', 'YYYYMMDD');
    CONTINUE WHEN to_regclass(quote_ident(v_name)) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE %I (LIKE job INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 50)', v_name);
      EXECUTE format('ALTER TABLE job ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name, first_id(v_week), first_id(v_week + 604800000));
      v_made := v_made + 1;
    EXCEPTION WHEN check_violation OR duplicate_table OR lock_not_available THEN NULL;
    END;
  END LOOP;
  RETURN v_made;
END $$;

-- When the week of an instant began: on Monday, and 1970 began on a Thursday.
CREATE FUNCTION week_of(p_ms int8) RETURNS int8 LANGUAGE sql IMMUTABLE
  AS $$ SELECT p_ms - (p_ms + 259200000) % 604800000 $$;

-- The lowest id that can be made in a millisecond (UUIDv7 begins with it).
CREATE FUNCTION first_id(p_ms int8) RETURNS uuid LANGUAGE sql IMMUTABLE
  AS $$ SELECT (lpad(to_hex(p_ms), 12, '0') || '00000000000000000000')::uuid $$;
