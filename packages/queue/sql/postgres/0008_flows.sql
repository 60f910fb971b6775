-- Flows, steps and signals.
--
-- Whoever changes jobs of a flow locks the flow's row first (several in the order of their ids), then job rows, then where
-- they wait; so no two wait for each other. `signal` alone changes a single job, and locks only that.

CREATE TABLE flow (
  id              uuid PRIMARY KEY,
  name            text NOT NULL,
  tenant          text NOT NULL DEFAULT '',
  idempotency_key text,
  -- 0 running, 1 completed, 2 failed, 3 cancelled.
  state           int2 NOT NULL DEFAULT 0,
  total           int4 NOT NULL DEFAULT 0,
  completed       int4 NOT NULL DEFAULT 0,
  cancelled       int4 NOT NULL DEFAULT 0,
  dead            int4 NOT NULL DEFAULT 0,
  -- Of the dead, those whose policy it is to fail the flow; of the cancelled, those that were not skipped.
  failed          int4 NOT NULL DEFAULT 0,
  stopped         int4 NOT NULL DEFAULT 0,
  created_at      int8 NOT NULL,
  finished_at     int8,
  cancel_reason   text
) WITH (fillfactor = 50);
CREATE INDEX flow_created ON flow (created_at, id);
CREATE INDEX flow_state ON flow (state, created_at, id);
CREATE INDEX flow_name ON flow (name, created_at, id);
CREATE INDEX flow_tenant ON flow (tenant, created_at, id) WHERE tenant <> '';

-- A job's place in its flow.
CREATE TABLE node (
  -- The job's.
  id         uuid PRIMARY KEY,
  flow       uuid NOT NULL,
  -- In the order in which they were added.
  n          int4 NOT NULL,
  -- How many of those that it depends on have not ended; 0 when it waits for none any more.
  waits      int4 NOT NULL,
  -- What its death does: 0 fails the flow, 1 skips what depends on it, 2 nothing.
  on_failure int2 NOT NULL,
  -- It ended, or is asked to stop, because of another.
  skipped    boolean NOT NULL DEFAULT false,
  name       text NOT NULL,
  UNIQUE (flow, n),
  UNIQUE (flow, name)
) WITH (fillfactor = 50);

-- `awaited`: the parent is a child that the other enqueued and waits for, however it ends.
CREATE TABLE edge (
  parent  uuid NOT NULL,
  child   uuid NOT NULL,
  awaited boolean NOT NULL DEFAULT false,
  PRIMARY KEY (parent, child)
);
CREATE INDEX edge_child ON edge (child, parent);

-- As `idempotency` is for jobs.
CREATE TABLE flow_key (
  tenant     text NOT NULL,
  key        text NOT NULL,
  id         uuid NOT NULL,
  body_hash  text NOT NULL,
  created_at int8 NOT NULL,
  expires_at int8,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX flow_key_expiry ON flow_key (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE step (
  -- The job's.
  id         uuid NOT NULL,
  ordinal    int4 NOT NULL,
  attempt    int2 NOT NULL,
  epoch      int4 NOT NULL,
  -- The epoch of the job that waits in it.
  parked     int4,
  started_at int8 NOT NULL,
  ended_at   int8,
  wake_at    int8,
  child      uuid,
  name       text NOT NULL,
  kind       text NOT NULL,
  state      text NOT NULL,
  signal     text,
  result     json,
  error      json,
  PRIMARY KEY (id, name)
);
CREATE INDEX step_parked ON step (id) WHERE parked IS NOT NULL;

-- One that was taken stays, without its payload, so that it does not arrive a second time.
CREATE TABLE signal (
  id      uuid NOT NULL,
  job     uuid NOT NULL,
  n       int8 GENERATED ALWAYS AS IDENTITY,
  at      int8 NOT NULL,
  taken   boolean NOT NULL DEFAULT false,
  name    text NOT NULL,
  payload json,
  PRIMARY KEY (job, id)
);
CREATE INDEX signal_waiting ON signal (job, name, n) WHERE NOT taken;

-- Locks the flows of these jobs, and answers which they are.
CREATE FUNCTION lock_flows(p_jobs uuid[]) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_flows uuid[] := ARRAY (
    SELECT DISTINCT j.flow FROM unnest(p_jobs) AS u (id), LATERAL (SELECT flow FROM job WHERE job.id = u.id OFFSET 0) AS j
    WHERE j.flow IS NOT NULL);
BEGIN
  IF cardinality(v_flows) = 0 THEN RETURN v_flows; END IF;
  RETURN ARRAY (SELECT f.id FROM flow f WHERE f.id = ANY (v_flows) ORDER BY f.id FOR NO KEY UPDATE);
END $$;

-- A job that has got into a flow since its flow was looked for: the caller tries again.
CREATE FUNCTION check_locked(p_flow uuid, p_locked uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF p_flow IS NULL OR p_flow = ANY (p_locked) THEN RETURN; END IF;
  RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'a job has just become part of a flow';
END $$;

-- One wake-up for all that came of a change: jobs ended, and perhaps others are ready, and some are asked to stop.
CREATE FUNCTION tell(p_wake text, p_ready boolean, p_asked boolean) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM wake(regexp_replace(p_wake, '^\w+', CASE WHEN p_asked THEN 'all' WHEN p_ready THEN 'moved' ELSE 'settled' END));
END $$;

-- Jobs that wait for others, or for a signal, a child or (p_at_once) the time, become ready; or delayed, when it is not yet
-- their time. In the order given, at the ordinals above p_place. Answers how many are ready.
CREATE FUNCTION make_ready(p_now int8, p_place int4, p_ids uuid[], p_at_once boolean) RETURNS int4 LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_base int8 := base_seq();
  v_ready int4;
BEGIN
  WITH slept AS (
    DELETE FROM delayed d USING unnest(p_ids) AS u (id), LATERAL (SELECT * FROM job WHERE job.id = u.id AND job.state = 0 OFFSET 0) AS j
    WHERE p_at_once AND d.kind = j.kind AND d.run_at = j.run_at AND d.id = j.id RETURNING d.id
  ), waiting AS MATERIALIZED (
    SELECT u.n, j.id, j.kind, j.priority, j.state, p_at_once OR j.run_at <= p_now AS due
    FROM unnest(p_ids) WITH ORDINALITY AS u (id, n), LATERAL (SELECT * FROM job WHERE job.id = u.id OFFSET 0) AS j
    WHERE j.state = 3 OR (p_at_once AND j.id IN (SELECT s.id FROM slept s))
  ), numbered AS MATERIALIZED (
    SELECT w.*, CASE WHEN w.due THEN v_base + p_place + min(w.n) OVER (PARTITION BY w.kind, w.priority, w.due, w.part) ELSE 0 END AS place
    FROM (SELECT *, (row_number() OVER (PARTITION BY kind, priority, due ORDER BY n) - 1) / 100 AS part FROM waiting) AS w
  ), placed AS (
    UPDATE job j SET state = 0, place = n.place, run_at = CASE WHEN p_at_once THEN p_now ELSE greatest(j.run_at, p_now) END
    FROM numbered n WHERE j.id = n.id
    RETURNING j.id, j.run_at, n.n, n.kind, n.priority, n.place, n.due, n.state
  ), chunks AS (
    INSERT INTO ready (seq, kind, rank, ids)
    SELECT p.place, p.kind, p.priority * 2 + 1, array_agg(p.id ORDER BY p.n) FROM placed p WHERE p.due GROUP BY p.place, p.kind, p.priority
  ), later AS (
    INSERT INTO delayed (kind, run_at, id, rank) SELECT p.kind, p.run_at, p.id, p.priority * 2 + 1 FROM placed p WHERE NOT p.due
  ), bands AS (
    INSERT INTO band (kind, rank) SELECT DISTINCT p.kind, p.priority * 2 + 1 FROM placed p
    WHERE NOT EXISTS (SELECT FROM band b WHERE b.kind = p.kind AND b.rank = p.priority * 2 + 1) ON CONFLICT DO NOTHING
  ), counted AS (
    INSERT INTO delta (seq, at, kind, ready, delayed, blocked)
    SELECT v_base, p_now, p.kind, count(*) FILTER (WHERE p.due),
      count(*) FILTER (WHERE NOT p.due) - count(*) FILTER (WHERE p.state = 0), -count(*) FILTER (WHERE p.state = 3)
    FROM placed p GROUP BY p.kind
  )
  SELECT count(*) FILTER (WHERE p.due) INTO v_ready FROM placed p;
  RETURN v_ready;
END $$;

-- Takes jobs, whose flows are locked, out of where they wait: which were ready, delayed, blocked; and which run.
CREATE FUNCTION take_all(
  p_ids uuid[], OUT ready uuid[], OUT delayed uuid[], OUT blocked uuid[], OUT running uuid[]
) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_left uuid[];
  v_found uuid[];
BEGIN
  SELECT coalesce(array_agg(l.id) FILTER (WHERE l.state = 3), '{}'), coalesce(array_agg(l.id) FILTER (WHERE l.state = 0), '{}')
  INTO blocked, v_left
  FROM (SELECT j.id, j.state FROM job j WHERE j.id = ANY (p_ids) ORDER BY j.id FOR NO KEY UPDATE) AS l;
  ready := '{}';
  delayed := '{}';
  running := '{}';
  LOOP
    EXIT WHEN cardinality(v_left) = 0;
    WITH wanted AS MATERIALIZED (
      SELECT j.id, j.kind, j.priority, j.place FROM unnest(v_left) AS u (id), LATERAL (SELECT * FROM job WHERE job.id = u.id OFFSET 0) AS j
    ), place AS MATERIALIZED (
      SELECT DISTINCT w.kind, w.priority * 2 + o AS rank, w.place AS seq FROM wanted w, unnest('{0,1}'::int4[]) AS o
      WHERE w.place > 0 ORDER BY 1, 2, 3
    ), chunk AS MATERIALIZED (
      SELECT c.* FROM place p, LATERAL (
        SELECT r.ctid AS tid, r.* FROM ready r WHERE r.kind = p.kind AND r.rank = p.rank AND r.seq = p.seq FOR UPDATE) AS c
    ), member AS MATERIALIZED (
      SELECT c.tid, c.seq, c.kind, c.rank, u.id, u.n, (u.id, c.seq) IN (SELECT w.id, w.place FROM wanted w) AS hit
      FROM chunk c, LATERAL unnest(c.ids) WITH ORDINALITY AS u (id, n)
    ), hit AS MATERIALIZED (
      SELECT DISTINCT m.tid FROM member m WHERE m.hit
    ), gone AS (
      DELETE FROM ready WHERE ctid = ANY (ARRAY (SELECT h.tid FROM hit h))
    ), rest AS (
      INSERT INTO ready (seq, kind, rank, ids)
      -- IS TRUE: looked up in a hash, never joined.
      SELECT m.seq, m.kind, m.rank, array_agg(m.id ORDER BY m.n) FROM member m
      WHERE NOT m.hit AND (m.tid IN (SELECT h.tid FROM hit h)) IS TRUE GROUP BY m.tid, m.seq, m.kind, m.rank
    )
    SELECT coalesce(array_agg(m.id) FILTER (WHERE m.hit), '{}') INTO v_found FROM member m;
    ready := ready || v_found;
    v_left := without(v_left, v_found);
    EXIT WHEN cardinality(v_left) = 0;
    WITH gone AS (
      DELETE FROM delayed d USING unnest(v_left) AS u (id), LATERAL (SELECT * FROM job WHERE job.id = u.id OFFSET 0) AS j
      WHERE d.kind = j.kind AND d.run_at = j.run_at AND d.id = j.id RETURNING d.id
    )
    SELECT coalesce(array_agg(g.id), '{}') INTO v_found FROM gone g;
    delayed := delayed || v_found;
    v_left := without(v_left, v_found);
    EXIT WHEN cardinality(v_left) = 0;
    SELECT coalesce(array_agg(j.id), '{}') INTO v_found
    FROM (SELECT u.id, u.epoch FROM lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch) WHERE l.ids && v_left) AS h
    JOIN job j ON j.id = h.id AND j.epoch = h.epoch - 1 WHERE (h.id IN (SELECT unnest(v_left))) IS TRUE;
    running := running || v_found;
    v_left := without(v_left, v_found);
    EXIT WHEN cardinality(v_left) = 0;
    -- Their rows in `ready` were being rewritten, or their leases have appeared only now: look again.
    PERFORM pg_sleep(0.001);
  END LOOP;
END $$;

CREATE FUNCTION without(p_ids uuid[], p_those uuid[]) RETURNS uuid[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF cardinality(p_those) = 0 THEN RETURN p_ids; END IF;
  RETURN ARRAY (SELECT u.id FROM unnest(p_ids) AS u (id) WHERE u.id NOT IN (SELECT unnest(p_those)));
END $$;

-- Cancels jobs that wait, and asks those that run to stop; their flows are locked. p_skip: because of another's end.
CREATE FUNCTION stop_jobs(
  p_now int8, p_ids uuid[], p_reason text, p_skip boolean, OUT ended uuid[], OUT flows uuid[], OUT running boolean,
  OUT asked boolean
) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
  v_where record;
BEGIN
  SELECT * INTO v_where FROM take_all(p_ids);
  WITH taken AS MATERIALIZED (
    SELECT u.id, 1 AS ready, 0 AS delayed, 0 AS blocked FROM unnest(v_where.ready) AS u (id)
    UNION ALL SELECT u.id, 0, 1, 0 FROM unnest(v_where.delayed) AS u (id)
    UNION ALL SELECT u.id, 0, 0, 1 FROM unnest(v_where.blocked) AS u (id)
  ), done AS (
    UPDATE job j SET state = 5, finished_at = p_now, cancel_reason = p_reason FROM taken t WHERE j.id = t.id
    RETURNING j.id, j.kind, j.flow, t.ready, t.delayed, t.blocked
  ), marked AS (
    UPDATE node n SET waits = 0, skipped = p_skip FROM done d WHERE n.id = d.id
  ), logged AS (
    INSERT INTO finished (kind, state, at, ids)
    SELECT d.kind, 5, p_now, array_agg(d.id ORDER BY d.n)
    FROM (SELECT kind, id, row_number() OVER (PARTITION BY kind ORDER BY id) AS n FROM done) AS d GROUP BY d.kind, (d.n - 1) / 500
  ), counted AS (
    INSERT INTO delta (seq, at, kind, ready, delayed, blocked, cancelled)
    SELECT base_seq(), p_now, d.kind, -sum(d.ready), -sum(d.delayed), -sum(d.blocked), count(*) FROM done d GROUP BY d.kind
  )
  SELECT coalesce(array_agg(d.id), '{}'), coalesce(array_agg(d.flow), '{}') INTO ended, flows FROM done d;
  running := cardinality(v_where.running) > 0;
  asked := false;
  IF running THEN
    -- Who was asked before by somebody else ends for his sake.
    UPDATE node n SET skipped = p_skip FROM unnest(v_where.running) AS u (id), job j
    WHERE n.id = u.id AND j.id = u.id AND j.cancel_reason IS NULL;
    UPDATE job j SET cancel_reason = p_reason FROM unnest(v_where.running) AS u (id) WHERE j.id = u.id AND j.cancel_reason IS NULL;
    asked := FOUND;
    IF asked THEN PERFORM nextval('cancel_seq'); END IF;
  END IF;
END $$;

-- What follows in their flows, which are locked, from jobs that have just ended (p_states: 4 completed, 5 cancelled, 6 dead).
-- p_look: some of those that completed had been asked to stop. Jobs become ready at the ordinals above p_place.
CREATE FUNCTION advance(
  p_now int8, p_place int4, p_ids uuid[], p_flows uuid[], p_states int2[], p_look boolean,
  OUT skipped uuid[], OUT ready boolean, OUT asked boolean
) LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  SET enable_bitmapscan = off
  SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_ids uuid[] := p_ids;
  v_flows uuid[] := p_flows;
  v_states int2[] := p_states;
  v_place int4 := p_place;
  v_free uuid[];
  v_woken uuid[];
  -- Of those that ended: whose dependents are skipped, whose flows fail, and who were cancelled.
  v_causes uuid[];
  v_failing uuid[];
  v_cancelled uuid[];
  v_cause record;
  v_stopped record;
BEGIN
  skipped := '{}';
  ready := false;
  asked := false;
  LOOP
    EXIT WHEN cardinality(v_ids) = 0;
    WITH ended AS MATERIALIZED (
      SELECT u.id, u.flow, u.state, n.skipped AS marked, n.on_failure,
        u.state = 5 OR (u.state = 6 AND n.on_failure <> 2) AS bad
      FROM unnest(v_ids, v_flows, v_states) AS u (id, flow, state)
      LEFT JOIN LATERAL (SELECT * FROM node WHERE node.id = u.id AND (u.state <> 4 OR p_look) OFFSET 0) AS n ON true
    ), unmarked AS (
      UPDATE node n SET skipped = false FROM ended e WHERE n.id = e.id AND e.marked AND e.state <> 5
    ), sums AS MATERIALIZED (
      SELECT e.flow, count(*)::int4 AS ended, count(*) FILTER (WHERE e.state = 4)::int4 AS completed,
        count(*) FILTER (WHERE e.state = 5)::int4 AS cancelled, count(*) FILTER (WHERE e.state = 6)::int4 AS dead,
        count(*) FILTER (WHERE e.state = 6 AND e.on_failure = 0)::int4 AS failed,
        count(*) FILTER (WHERE e.state = 5 AND NOT e.marked)::int4 AS stopped
      FROM ended e GROUP BY e.flow
    ), counted AS (
      UPDATE flow f SET completed = f.completed + s.completed, cancelled = f.cancelled + s.cancelled, dead = f.dead + s.dead,
        failed = f.failed + s.failed, stopped = f.stopped + s.stopped,
        finished_at = CASE WHEN f.completed + f.cancelled + f.dead + s.ended = f.total THEN p_now END,
        state = CASE WHEN f.completed + f.cancelled + f.dead + s.ended < f.total THEN 0 WHEN f.failed + s.failed > 0 THEN 2
          WHEN f.stopped + s.stopped > 0 THEN 3 ELSE 1 END
      FROM sums s WHERE f.id = s.flow
      RETURNING f.id
    ), below AS MATERIALIZED (
      SELECT e.id, e.bad, d.child, d.awaited
      FROM ended e, LATERAL (SELECT child, awaited FROM edge WHERE edge.parent = e.id OFFSET 0) AS d
    ), followed AS (
      UPDATE node n SET waits = n.waits - b.down
      FROM (SELECT b.child, count(*)::int4 AS down FROM below b WHERE NOT b.awaited AND b.bad IS NOT TRUE GROUP BY b.child) AS b
      WHERE n.id = b.child AND n.waits > 0
      RETURNING n.id, n.flow, n.n, n.waits
    )
    SELECT (SELECT array_agg(f.id ORDER BY f.flow, f.n) FROM followed f WHERE f.waits = 0),
      (SELECT array_agg(b.child) FROM below b, LATERAL (SELECT * FROM job WHERE job.id = b.child AND job.state < 4 OFFSET 0) AS j,
          LATERAL (SELECT FROM step s WHERE s.id = b.child AND s.parked = j.epoch AND s.child = b.id OFFSET 0) AS s
        WHERE b.awaited),
      (SELECT array_agg(DISTINCT b.id) FROM below b, LATERAL (SELECT * FROM node WHERE node.id = b.child OFFSET 0) AS n
        WHERE b.bad AND NOT b.awaited AND n.waits > 0),
      (SELECT array_agg(e.id) FROM ended e WHERE e.state = 6 AND e.on_failure = 0),
      (SELECT array_agg(e.id) FROM ended e WHERE e.state = 5)
    INTO v_free, v_woken, v_causes, v_failing, v_cancelled;

    v_ids := '{}';
    v_flows := '{}';
    FOR v_cause IN
      -- Everything that depends on one, however far down, as long as it waits.
      SELECT 1 AS because, u.id AS of, NULL::uuid AS flow FROM unnest(v_causes) AS u (id)
      UNION ALL
      -- All that waits or runs in a flow that has failed.
      (SELECT DISTINCT ON (n.flow) 2, n.id, n.flow FROM unnest(v_failing) AS u (id) JOIN node n ON n.id = u.id
        JOIN flow f ON f.id = n.flow AND f.finished_at IS NULL ORDER BY n.flow, n.n)
      UNION ALL
      -- Children that outlive those who waited for them.
      SELECT DISTINCT 3, u.id, NULL::uuid FROM unnest(v_cancelled) AS u (id), LATERAL
        (SELECT parent FROM edge WHERE edge.child = u.id AND edge.awaited OFFSET 0) AS e,
        LATERAL (SELECT FROM job WHERE job.id = e.parent AND job.state < 4 OFFSET 0) AS j
    LOOP
      SELECT s.* INTO v_stopped FROM stop_jobs(p_now, CASE v_cause.because WHEN 1 THEN waiting_below(v_cause.of)
        WHEN 2 THEN live_in(v_cause.flow) ELSE children_of(v_cause.of) END, why_skipped(v_cause.of), true) AS s;
      v_ids := v_ids || v_stopped.ended;
      v_flows := v_flows || v_stopped.flows;
      asked := asked OR v_stopped.asked;
    END LOOP;
    v_states := array_fill(5::int2, ARRAY[cardinality(v_ids)]);
    skipped := skipped || v_ids;
    IF v_free IS NOT NULL THEN
      ready := make_ready(p_now, v_place, v_free, false) > 0 OR ready;
      v_place := v_place + cardinality(v_free);
    END IF;
    IF v_woken IS NOT NULL THEN
      PERFORM FROM job j WHERE j.id = ANY (v_woken) ORDER BY j.id FOR NO KEY UPDATE;
      ready := make_ready(p_now, v_place, v_woken, true) > 0 OR ready;
      v_place := v_place + cardinality(v_woken);
    END IF;
  END LOOP;
END $$;

-- What depends on a job, directly or not, and waits.
CREATE FUNCTION waiting_below(p_job uuid) RETURNS uuid[] LANGUAGE plpgsql STABLE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN ARRAY (
    WITH RECURSIVE below (id) AS (
      SELECT n.id FROM edge e JOIN node n ON n.id = e.child WHERE e.parent = p_job AND NOT e.awaited AND n.waits > 0
      UNION
      SELECT n.id FROM below b JOIN edge e ON e.parent = b.id JOIN node n ON n.id = e.child WHERE NOT e.awaited AND n.waits > 0
    )
    SELECT b.id FROM below b);
END $$;

CREATE FUNCTION live_in(p_flow uuid) RETURNS uuid[] LANGUAGE plpgsql STABLE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  RETURN ARRAY (SELECT n.id FROM node n JOIN job j ON j.id = n.id WHERE n.flow = p_flow AND j.state < 4);
END $$;

-- Those that a job enqueued to wait for them.
CREATE FUNCTION children_of(p_job uuid) RETURNS uuid[] LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN ARRAY (SELECT e.parent FROM edge e WHERE e.child = p_job AND e.awaited);
END $$;

-- As src/job/skip-reason.ts: the reason of those that are skipped for this job, or for the one that it was skipped for.
CREATE FUNCTION why_skipped(p_job uuid) RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (
    SELECT CASE WHEN n.skipped AND j.cancel_reason IS NOT NULL THEN j.cancel_reason
      ELSE format('skipped: %s %s', to_json(n.name), CASE j.state WHEN 6 THEN 'died' ELSE 'was cancelled' END) END
    FROM node n JOIN job j ON j.id = n.id WHERE n.id = p_job);
END $$;

-- Which of the skipped jobs of these flows come back with those named: all but those that depend, directly or through
-- other skipped ones, on one that ended badly and does not come back.
CREATE FUNCTION revivable(p_flows uuid[], p_named uuid[]) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
  IF cardinality(p_flows) = 0 THEN RETURN '{}'; END IF;
  RETURN ARRAY (
    WITH RECURSIVE candidate AS MATERIALIZED (
      SELECT n.id, n.flow, n.n FROM node n JOIN job j ON j.id = n.id
      WHERE n.flow = ANY (p_flows) AND n.skipped AND j.state = 5
        AND n.id NOT IN (SELECT unnest(p_named))
    ), stuck (id) AS (
      SELECT c.id FROM candidate c WHERE EXISTS (
        SELECT FROM edge e JOIN job p ON p.id = e.parent JOIN node pn ON pn.id = e.parent
        WHERE e.child = c.id AND NOT e.awaited AND e.parent NOT IN (SELECT unnest(p_named))
          AND ((p.state = 5 AND NOT pn.skipped) OR (p.state = 6 AND pn.on_failure <> 2)))
        -- The child of a cancelled job stays with it.
        OR EXISTS (
        SELECT FROM edge e JOIN job p ON p.id = e.child JOIN node pn ON pn.id = e.child
        WHERE e.parent = c.id AND e.awaited AND e.child NOT IN (SELECT unnest(p_named)) AND p.state = 5 AND NOT pn.skipped)
      UNION
      SELECT o.id FROM stuck s, LATERAL (
        SELECT e.child AS id FROM edge e WHERE e.parent = s.id AND NOT e.awaited
        UNION ALL
        SELECT e.parent FROM edge e WHERE e.child = s.id AND e.awaited) AS o
      -- IS TRUE: looked up in a hash, never joined.
      WHERE (o.id IN (SELECT c.id FROM candidate c)) IS TRUE
    )
    SELECT c.id FROM candidate c WHERE c.id NOT IN (SELECT s.id FROM stuck s) ORDER BY c.flow, c.n);
END $$;
