-- What people and handlers do to flows: enqueue, extend, cancel, redrive.

-- Stores jobs in a flow that is locked, or new, and edges, each once. p_waits: of how many parents each waits for the end;
-- those that wait for none are queued, at the ordinals above p_place. Answers how many are ready.
CREATE FUNCTION add_nodes(
  p_now int8, p_flow uuid, p_place int4, p_ids uuid[], p_names text[], p_policies int2[], p_payloads text[], p_tenants text[],
  p_kinds int4[], p_priorities int2[], p_max_attempts int2[], p_run_at int8[], p_delays int8[], p_origins uuid[], p_waits int4[],
  p_parents uuid[], p_children uuid[], p_prepared boolean
) RETURNS int4 LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_mergejoin = off
AS $$
DECLARE
  v_base int8 := base_seq();
  v_from int4;
  v_ready int4;
BEGIN
  UPDATE flow f SET total = f.total + cardinality(p_ids) WHERE f.id = p_flow RETURNING f.total - cardinality(p_ids) INTO v_from;
  INSERT INTO node (id, flow, n, waits, on_failure, name)
  SELECT u.id, p_flow, v_from + u.n, u.waits, u.on_failure, u.name
  FROM unnest(p_ids, p_waits, p_policies, p_names) WITH ORDINALITY AS u (id, waits, on_failure, name, n);
  INSERT INTO edge (parent, child) SELECT u.parent, u.child FROM unnest(p_parents, p_children) AS u (parent, child);
  INSERT INTO job (id, created_at, run_at, kind, state, priority, max_attempts, tenant, payload, flow, origin)
  SELECT u.id, p_now, coalesce(u.run_at, p_now + coalesce(u.delay, 0)), u.kind, 3, u.priority, u.max_attempts, coalesce(u.tenant, ''),
    u.payload::json, p_flow, u.origin
  FROM unnest(p_ids, p_waits, p_payloads, p_tenants, p_kinds, p_priorities, p_max_attempts, p_run_at, p_delays, p_origins)
    AS u (id, waits, payload, tenant, kind, priority, max_attempts, run_at, delay, origin) WHERE u.waits > 0;
  INSERT INTO delta (seq, at, kind, blocked)
  SELECT v_base, p_now, u.kind, count(*) FROM unnest(p_kinds, p_waits) AS u (kind, waits) WHERE u.waits > 0 GROUP BY u.kind;
  WITH new AS (
    SELECT u.*, coalesce(u.run_at, p_now + coalesce(u.delay, 0)) AS due_at, coalesce(u.run_at, p_now + coalesce(u.delay, 0)) <= p_now AS due
    FROM unnest(p_ids, p_waits, p_payloads, p_tenants, p_kinds, p_priorities, p_max_attempts, p_run_at, p_delays, p_origins) WITH ORDINALITY
      AS u (id, waits, payload, tenant, kind, priority, max_attempts, run_at, delay, origin, n) WHERE u.waits = 0
  ), numbered AS MATERIALIZED (
    SELECT w.*, CASE WHEN w.due THEN v_base + p_place + min(w.n) OVER (PARTITION BY w.due, w.kind, w.priority, w.part) ELSE 0 END AS place
    FROM (SELECT *, (row_number() OVER (PARTITION BY due, kind, priority ORDER BY n) - 1) / 100 AS part FROM new) AS w
  ), jobs AS (
    INSERT INTO job (id, place, created_at, run_at, kind, priority, max_attempts, tenant, payload, flow, origin)
    SELECT n.id, n.place, p_now, n.due_at, n.kind, n.priority, n.max_attempts, coalesce(n.tenant, ''), n.payload::json, p_flow, n.origin
    FROM numbered n
  ), chunks AS (
    INSERT INTO ready (seq, kind, rank, ids)
    SELECT n.place, n.kind, n.priority * 2 + 1, array_agg(n.id ORDER BY n.n) FROM numbered n WHERE n.due GROUP BY n.place, n.kind, n.priority
  ), later AS (
    INSERT INTO delayed (kind, run_at, id, rank) SELECT n.kind, n.due_at, n.id, n.priority * 2 + 1 FROM numbered n WHERE NOT n.due
  ), bands AS (
    INSERT INTO band (kind, rank) SELECT DISTINCT n.kind, n.priority * 2 + 1 FROM numbered n
    WHERE NOT p_prepared AND NOT EXISTS (SELECT FROM band b WHERE b.kind = n.kind AND b.rank = n.priority * 2 + 1) ON CONFLICT DO NOTHING
  ), counted AS (
    INSERT INTO delta (seq, at, kind, ready, delayed)
    SELECT v_base, p_now, n.kind, count(*) FILTER (WHERE n.due), count(*) FILTER (WHERE NOT n.due) FROM numbered n GROUP BY n.kind
  )
  SELECT count(*) FILTER (WHERE n.due) INTO v_ready FROM numbered n;
  RETURN v_ready;
END $$;

-- The first queue with a bound that has no room for these jobs, as an answer; null when there is none. Whoever asks keeps
-- others from filling it meanwhile.
CREATE FUNCTION full_queue(p_kinds int4[]) RETURNS json LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  v_queue record;
  v_queued int8;
BEGIN
  FOR v_queue IN
    SELECT q.queue, q.max_queued FROM queue q WHERE q.max_queued IS NOT NULL
      AND q.queue IN (SELECT k.queue FROM kind k WHERE k.kind = ANY (p_kinds)) ORDER BY q.queue FOR UPDATE
  LOOP
    v_queued := queued_in(v_queue.queue);
    IF v_queued + (SELECT count(*) FROM unnest(p_kinds) AS u (kind) JOIN kind k USING (kind) WHERE k.queue = v_queue.queue) > v_queue.max_queued THEN
      RETURN json_build_array('queue-full', v_queue.queue, greatest(v_queued, v_queue.max_queued), v_queue.max_queued);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- A job that is there already, of these.
CREATE FUNCTION known_job(p_ids uuid[]) RETURNS uuid LANGUAGE plpgsql STABLE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN (SELECT u.id FROM unnest(p_ids) AS u (id), LATERAL (SELECT FROM job WHERE job.id = u.id OFFSET 0) AS j LIMIT 1);
END $$;

-- Stores a flow, all of it or nothing. Edge e, of which each is there once, leads from p_parents[e] to p_children[e].
-- Null when it was stored; or what else, as JSON. p_prepared: as for `enqueue_each`.
CREATE FUNCTION enqueue_flow(
  p_now int8, p_wake text, p_flow uuid, p_name text, p_tenant text, p_key text, p_hash text,
  p_ids uuid[], p_names text[], p_policies int2[], p_payloads text, p_tenants text[], p_kinds int4[], p_priorities int2[],
  p_max_attempts int2[], p_run_at int8[], p_delays int8[], p_origins uuid[], p_waits int4[], p_parents uuid[], p_children uuid[],
  p_prepared boolean, p_attributes json DEFAULT NULL
) RETURNS json LANGUAGE plpgsql VOLATILE SECURITY DEFINER
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_old record;
  v_full json;
  v_known uuid;
BEGIN
  IF EXISTS (SELECT FROM queue q WHERE q.max_queued IS NOT NULL) THEN
    v_full := full_queue(ARRAY (SELECT u.kind FROM unnest(p_kinds, p_waits) AS u (kind, waits) WHERE u.waits = 0));
  END IF;
  IF EXISTS (SELECT FROM flow f WHERE f.id = p_flow) THEN RETURN json_build_array('duplicate', p_flow); END IF;
  IF p_key IS NOT NULL THEN
    SELECT i.id, i.body_hash INTO v_old FROM flow_key i
    WHERE i.tenant = p_tenant AND i.key = p_key AND (i.expires_at IS NULL OR i.expires_at > v_now);
    IF FOUND THEN
      RETURN json_build_array(CASE WHEN v_old.body_hash = p_hash THEN 'duplicate' ELSE 'idempotency-conflict' END, v_old.id);
    END IF;
  END IF;
  IF v_full IS NOT NULL THEN RETURN v_full; END IF;
  v_known := known_job(p_ids);
  IF v_known IS NOT NULL THEN RETURN json_build_array('known', v_known); END IF;
  INSERT INTO flow (id, name, tenant, idempotency_key, created_at) VALUES (p_flow, p_name, p_tenant, p_key, v_now) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN json_build_array('duplicate', p_flow); END IF;
  IF p_key IS NOT NULL THEN
    INSERT INTO flow_key AS i (tenant, key, id, body_hash, created_at) VALUES (p_tenant, p_key, p_flow, p_hash, v_now)
    ON CONFLICT (tenant, key) DO UPDATE
      SET id = excluded.id, body_hash = excluded.body_hash, created_at = excluded.created_at, expires_at = NULL
      WHERE i.expires_at <= v_now;
    IF NOT FOUND THEN
      -- Somebody else's, since the look above.
      DELETE FROM flow WHERE id = p_flow;
      SELECT i.id, i.body_hash INTO v_old FROM flow_key i WHERE i.tenant = p_tenant AND i.key = p_key;
      RETURN json_build_array(CASE WHEN v_old.body_hash = p_hash THEN 'duplicate' ELSE 'idempotency-conflict' END, v_old.id);
    END IF;
  END IF;
  PERFORM add_nodes(v_now, p_flow, 0, p_ids, p_names, p_policies, string_to_array(p_payloads, E'\x1e'), p_tenants, p_kinds, p_priorities,
    p_max_attempts, p_run_at, p_delays, p_origins, p_waits, p_parents, p_children, p_prepared);
  IF p_attributes IS NOT NULL THEN PERFORM keep_attributes(p_ids, p_attributes); END IF;
  PERFORM wake(p_wake);
  RETURN NULL;
END $$;

-- Puts a running job without a flow, whose row is locked, into one of its own, whose row is there.
CREATE FUNCTION begin_flow(p_job uuid) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO node (id, flow, n, waits, on_failure, name)
  SELECT j.id, j.id, 1, 0, 0, k.type FROM job j JOIN kind k USING (kind) WHERE j.id = p_job;
  UPDATE job SET flow = p_job WHERE id = p_job;
  UPDATE flow SET total = 1 WHERE id = p_job;
END $$;

-- Adds jobs to the flow of a running job, with edges from p_parents[e] to p_ids[p_children[e]]. The answer is JSON:
-- what came of it, and with 'enqueued' the flow, the job of each node, and what advance says.
CREATE FUNCTION extend_flow(
  p_worker int4, p_now int8, p_wake text, p_job uuid, p_epoch int4, p_lid int8,
  p_ids uuid[], p_names text[], p_policies int2[], p_payloads text, p_tenants text[], p_kinds int4[], p_priorities int2[],
  p_max_attempts int2[], p_run_at int8[], p_delays int8[], p_origins uuid[], p_parents uuid[], p_children int4[],
  p_attributes json DEFAULT NULL
) RETURNS json LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_flow uuid;
  v_made boolean := false;
  v_job job;
  v_answer json;
BEGIN
  IF NOT EXISTS (SELECT FROM worker w WHERE w.worker = p_worker AND w.expires_at > v_now) THEN
    v_now := held_until(p_worker, p_now);
    IF v_now IS NULL THEN RETURN json_build_array('lease-lost'); END IF;
  END IF;
  IF NOT EXISTS (SELECT FROM lease l WHERE l.lid = p_lid AND l.worker = p_worker) THEN RETURN json_build_array('lease-lost'); END IF;
  SELECT j.flow INTO v_flow FROM job j WHERE j.id = p_job AND j.state = 0 AND j.epoch = p_epoch - 1;
  IF NOT FOUND THEN RETURN json_build_array('lease-lost'); END IF;
  IF v_flow IS NULL THEN
    v_flow := p_job;
    INSERT INTO flow (id, name, tenant, created_at)
    SELECT j.id, k.type, j.tenant, v_now FROM job j JOIN kind k USING (kind) WHERE j.id = p_job ON CONFLICT DO NOTHING;
    v_made := FOUND;
  END IF;
  PERFORM FROM flow f WHERE f.id = v_flow FOR NO KEY UPDATE;
  SELECT * INTO v_job FROM job j WHERE j.id = p_job AND j.state = 0 AND j.epoch = p_epoch - 1 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    v_answer := json_build_array('lease-lost');
  ELSE
    IF v_made THEN PERFORM begin_flow(p_job); END IF;
    v_answer := grow_flow(v_now, p_wake, v_flow, p_job, p_ids, p_names, p_policies, string_to_array(p_payloads, E'\x1e'), p_tenants, p_kinds,
      p_priorities, p_max_attempts, p_run_at, p_delays, p_origins, p_parents, p_children, p_attributes);
  END IF;
  IF v_made AND v_answer ->> 0 <> 'enqueued' THEN
    UPDATE job SET flow = NULL WHERE id = p_job AND flow = v_flow;
    DELETE FROM node WHERE id = p_job;
    DELETE FROM flow WHERE id = v_flow;
  END IF;
  RETURN v_answer;
END $$;

CREATE FUNCTION grow_flow(
  p_now int8, p_wake text, p_flow uuid, p_job uuid, p_ids uuid[], p_names text[], p_policies int2[], p_payloads text[], p_tenants text[],
  p_kinds int4[], p_priorities int2[], p_max_attempts int2[], p_run_at int8[], p_delays int8[], p_origins uuid[],
  p_parents uuid[], p_children int4[], p_attributes json
) RETURNS json LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_ids uuid[];
  -- Ordinals of those that are new.
  v_new int4[];
  v_new_ids uuid[];
  v_taken text;
  -- Parents that were there before.
  v_earlier uuid[];
  v_unknown uuid;
  v_parents uuid[];
  v_children uuid[];
  v_over uuid[];
  v_full json;
  v_known uuid;
  v_causes uuid[];
  v_cause uuid;
  v_ended uuid[] := '{}';
  v_stopped record;
  v_moved record;
  v_ready boolean;
BEGIN
  IF EXISTS (SELECT FROM flow f WHERE f.id = p_flow AND (f.failed > 0 OR f.cancel_reason IS NOT NULL)) THEN
    RETURN json_build_array('over');
  END IF;
  SELECT array_agg(coalesce(n.id, u.id) ORDER BY u.n), coalesce(array_agg(u.n ORDER BY u.n) FILTER (WHERE n.id IS NULL), '{}'),
    (array_agg(u.name ORDER BY u.n) FILTER (WHERE ok.type <> nk.type))[1]
  INTO v_ids, v_new, v_taken
  FROM unnest(p_ids, p_names, p_kinds) WITH ORDINALITY AS u (id, name, kind, n) JOIN kind nk ON nk.kind = u.kind
  LEFT JOIN LATERAL (SELECT node.id FROM node WHERE node.flow = p_flow AND node.name = u.name OFFSET 0) AS n ON true
  LEFT JOIN LATERAL (SELECT job.kind FROM job WHERE job.id = n.id OFFSET 0) AS j ON true LEFT JOIN kind ok ON ok.kind = j.kind;
  IF v_taken IS NOT NULL THEN RETURN json_build_array('name-taken', v_taken); END IF;
  -- A repeated call names the jobs that it brings; they are those of the first.
  SELECT coalesce(array_agg(l.parent), '{}'), coalesce(array_agg(p_ids[l.child]), '{}') INTO v_parents, v_children
  FROM (
    SELECT DISTINCT coalesce(k.id, e.parent) AS parent, e.child FROM unnest(p_parents, p_children) AS e (parent, child)
    LEFT JOIN (SELECT u.id AS named, v_ids[u.n] AS id FROM unnest(p_ids) WITH ORDINALITY AS u (id, n)) AS k ON k.named = e.parent
    WHERE (e.child IN (SELECT unnest(v_new))) IS TRUE) AS l;
  v_new_ids := ARRAY (SELECT p_ids[n] FROM unnest(v_new) AS n);
  v_earlier := ARRAY (SELECT DISTINCT u.id FROM unnest(v_parents) AS u (id) WHERE u.id <> p_job AND u.id NOT IN (SELECT unnest(v_new_ids)));
  WITH RECURSIVE below (id) AS (
    SELECT e.child FROM edge e WHERE e.parent = p_job AND cardinality(v_earlier) > 0
    UNION
    SELECT e.child FROM below b JOIN edge e ON e.parent = b.id
  )
  SELECT u.id INTO v_unknown FROM unnest(v_earlier) AS u (id)
  WHERE NOT EXISTS (SELECT FROM node n WHERE n.id = u.id AND n.flow = p_flow) OR u.id IN (SELECT b.id FROM below b) LIMIT 1;
  IF FOUND THEN RETURN json_build_array('unknown', v_unknown); END IF;
  IF cardinality(v_new) = 0 THEN RETURN json_build_array('enqueued', p_flow, v_ids, '{}'::uuid[], false, false); END IF;

  -- Parents that ended badly are waited for until the skip below.
  SELECT coalesce(array_agg(u.id) FILTER (WHERE j.state = 4 OR (j.state = 6 AND n.on_failure = 2)), '{}'),
    coalesce(array_agg(u.id ORDER BY n.n) FILTER (WHERE j.state = 5 OR (j.state = 6 AND n.on_failure <> 2)), '{}')
  INTO v_over, v_causes
  FROM unnest(v_earlier) AS u (id), LATERAL (SELECT * FROM job WHERE job.id = u.id AND job.state >= 4 OFFSET 0) AS j,
    LATERAL (SELECT * FROM node WHERE node.id = u.id OFFSET 0) AS n;
  v_full := full_queue(ARRAY (SELECT p_kinds[n] FROM unnest(v_new) AS n WHERE p_ids[n] NOT IN (
    SELECT e.child FROM unnest(v_parents, v_children) AS e (parent, child) WHERE e.parent NOT IN (SELECT unnest(v_over)))));
  IF v_full IS NOT NULL THEN RETURN v_full; END IF;
  v_known := known_job(v_new_ids);
  IF v_known IS NOT NULL THEN RETURN json_build_array('known', v_known); END IF;
  SELECT add_nodes(p_now, p_flow, 0, array_agg(u.id ORDER BY u.n), array_agg(u.name ORDER BY u.n), array_agg(u.policy ORDER BY u.n),
    array_agg(u.payload ORDER BY u.n), array_agg(u.tenant ORDER BY u.n), array_agg(u.kind ORDER BY u.n), array_agg(u.priority ORDER BY u.n),
    array_agg(u.most ORDER BY u.n), array_agg(u.run_at ORDER BY u.n), array_agg(u.delay ORDER BY u.n), array_agg(u.origin ORDER BY u.n),
    array_agg(coalesce(w.waits, 0) ORDER BY u.n), v_parents, v_children, false) > 0
  INTO v_ready
  FROM unnest(p_ids, p_names, p_policies, p_payloads, p_tenants, p_kinds, p_priorities, p_max_attempts, p_run_at, p_delays, p_origins)
    WITH ORDINALITY AS u (id, name, policy, payload, tenant, kind, priority, most, run_at, delay, origin, n)
  LEFT JOIN (
    SELECT e.child, count(*)::int4 AS waits FROM unnest(v_parents, v_children) AS e (parent, child)
    WHERE e.parent NOT IN (SELECT unnest(v_over)) GROUP BY e.child) AS w ON w.child = u.id
  WHERE (u.n IN (SELECT unnest(v_new))) IS TRUE;
  IF p_attributes IS NOT NULL THEN PERFORM keep_attributes(p_ids, p_attributes, v_new); END IF;
  -- What depends on the job that adds waits for these as well; or will, if it comes back.
  WITH below AS MATERIALIZED (
    SELECT n.id, n.waits FROM edge e, LATERAL (SELECT * FROM node WHERE node.id = e.child OFFSET 0) AS n WHERE e.parent = p_job AND NOT e.awaited
      AND n.id NOT IN (SELECT unnest(v_new_ids))
  ), linked AS (
    INSERT INTO edge (parent, child) SELECT p_ids[n], b.id FROM below b, unnest(v_new) AS n
  )
  UPDATE node n SET waits = n.waits + cardinality(v_new) FROM below b WHERE n.id = b.id AND n.waits > 0;
  -- Skipped at once, as they would have been had they been there before; what waits below them follows in `advance`. Earlier
  -- jobs that stand after the same cause do so because somebody redrove them, and stay.
  FOREACH v_cause IN ARRAY v_causes LOOP
    SELECT * INTO v_stopped FROM stop_jobs(p_now,
      ARRAY (SELECT e.child FROM unnest(v_parents, v_children) AS e (parent, child) WHERE e.parent = v_cause), why_skipped(v_cause), true);
    v_ended := v_ended || v_stopped.ended;
  END LOOP;
  SELECT * INTO v_moved FROM advance(p_now, cardinality(p_ids), v_ended, array_fill(p_flow, ARRAY[cardinality(v_ended)]),
    array_fill(5::int2, ARRAY[cardinality(v_ended)]), false);
  v_moved.skipped := v_ended || v_moved.skipped;
  IF cardinality(v_ended) > 0 THEN
    PERFORM tell(p_wake, true, v_moved.asked);
  ELSIF v_ready THEN
    PERFORM wake(p_wake);
  END IF;
  RETURN json_build_array('enqueued', p_flow, v_ids, v_moved.skipped, v_ready OR v_moved.ready, v_moved.asked);
END $$;

-- Cancels all that waits in a flow, and asks what runs to stop.
CREATE FUNCTION cancel_flow(
  p_now int8, p_wake text, p_flow uuid, p_reason text, OUT answer text, OUT ended uuid[], OUT ready boolean, OUT asked boolean
) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_now int8 := now_ms(p_now);
  v_flow flow;
  v_stopped record;
  v_moved record;
BEGIN
  ended := '{}';
  ready := false;
  asked := false;
  SELECT * INTO v_flow FROM flow f WHERE f.id = p_flow FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    answer := 'not-found';
  ELSIF v_flow.finished_at IS NOT NULL THEN
    answer := 'already-finished';
  ELSE
    UPDATE flow SET cancel_reason = coalesce(cancel_reason, p_reason) WHERE id = p_flow;
    SELECT * INTO v_stopped FROM stop_jobs(v_now, live_in(p_flow), p_reason, false);
    SELECT * INTO v_moved FROM advance(v_now, 0, v_stopped.ended, v_stopped.flows, array_fill(5::int2, ARRAY[cardinality(v_stopped.ended)]), false);
    ended := v_stopped.ended || v_moved.skipped;
    ready := v_moved.ready;
    asked := v_stopped.asked OR v_moved.asked;
    answer := CASE WHEN v_stopped.running THEN 'requested' ELSE 'cancelled' END;
    PERFORM tell(p_wake, ready, asked);
  END IF;
END $$;

-- Redrives all dead and cancelled jobs of a flow together.
CREATE FUNCTION redrive_flow(p_now int8, p_wake text, p_flow uuid) RETURNS text LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_ids uuid[];
BEGIN
  PERFORM FROM flow f WHERE f.id = p_flow FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'not-found'; END IF;
  v_ids := ARRAY (SELECT n.id FROM node n JOIN job j ON j.id = n.id WHERE n.flow = p_flow AND j.state IN (5, 6) ORDER BY n.n);
  IF cardinality(v_ids) = 0 THEN RETURN 'not-finished'; END IF;
  PERFORM redrive_jobs(p_now, p_wake, v_ids);
  RETURN 'redriven';
END $$;

REVOKE EXECUTE ON FUNCTION enqueue_flow FROM PUBLIC;
