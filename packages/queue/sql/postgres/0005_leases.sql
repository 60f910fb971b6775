-- Who holds what, and for how long: beats, and what becomes of the jobs of a worker that stopped beating.

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
