-- What people look at: lists, the feed of events, the series by minute, the audit log. Nothing here is read or written by a claim,
-- a settle or an enqueue.

-- One row: the lock that appends to the feed take one after the other, so that a place that is given later is also seen
-- later. Entries up to `pruned` are gone. It begins with the time, so that a reader of an older store at this place finds
-- out that this is another. `server`: since when the server that appended last has run.
CREATE TABLE feed_state (
  pruned        int8 NOT NULL,
  watched_until int8 NOT NULL DEFAULT 0,
  server        timestamptz NOT NULL DEFAULT pg_postmaster_start_time()
) WITH (fillfactor = 50);
INSERT INTO feed_state (pruned) VALUES (extract(epoch FROM clock_timestamp())::int8 * 1000000);

-- One row a batch, as it was appended: entries (last - count, last].
CREATE TABLE feed (
  last    int8 PRIMARY KEY,
  count   int4 NOT NULL,
  at      int8 NOT NULL,
  batch   uuid NOT NULL UNIQUE,
  entries text NOT NULL
);

-- Totals of one worker in one minute. wN and rN: attempts that waited, and ran, less than 2^N ms and no less than half of
-- it; the last one holds all above.
CREATE TABLE series (
  minute    int8 NOT NULL,
  kind      int4 NOT NULL,
  worker    text NOT NULL,
  completed int4 NOT NULL DEFAULT 0,
  failed    int4 NOT NULL DEFAULT 0,
  dead      int4 NOT NULL DEFAULT 0,
  cancelled int4 NOT NULL DEFAULT 0,
  waited_ms int8 NOT NULL DEFAULT 0,
  ran_ms    int8 NOT NULL DEFAULT 0,
  w0 int4 NOT NULL DEFAULT 0, w1 int4 NOT NULL DEFAULT 0, w2 int4 NOT NULL DEFAULT 0, w3 int4 NOT NULL DEFAULT 0, w4 int4 NOT NULL DEFAULT 0, w5 int4 NOT NULL DEFAULT 0,
  w6 int4 NOT NULL DEFAULT 0, w7 int4 NOT NULL DEFAULT 0, w8 int4 NOT NULL DEFAULT 0, w9 int4 NOT NULL DEFAULT 0, w10 int4 NOT NULL DEFAULT 0, w11 int4 NOT NULL DEFAULT 0,
  w12 int4 NOT NULL DEFAULT 0, w13 int4 NOT NULL DEFAULT 0, w14 int4 NOT NULL DEFAULT 0, w15 int4 NOT NULL DEFAULT 0, w16 int4 NOT NULL DEFAULT 0, w17 int4 NOT NULL DEFAULT 0,
  w18 int4 NOT NULL DEFAULT 0, w19 int4 NOT NULL DEFAULT 0, w20 int4 NOT NULL DEFAULT 0, w21 int4 NOT NULL DEFAULT 0, w22 int4 NOT NULL DEFAULT 0, w23 int4 NOT NULL DEFAULT 0,
  r0 int4 NOT NULL DEFAULT 0, r1 int4 NOT NULL DEFAULT 0, r2 int4 NOT NULL DEFAULT 0, r3 int4 NOT NULL DEFAULT 0, r4 int4 NOT NULL DEFAULT 0, r5 int4 NOT NULL DEFAULT 0,
  r6 int4 NOT NULL DEFAULT 0, r7 int4 NOT NULL DEFAULT 0, r8 int4 NOT NULL DEFAULT 0, r9 int4 NOT NULL DEFAULT 0, r10 int4 NOT NULL DEFAULT 0, r11 int4 NOT NULL DEFAULT 0,
  r12 int4 NOT NULL DEFAULT 0, r13 int4 NOT NULL DEFAULT 0, r14 int4 NOT NULL DEFAULT 0, r15 int4 NOT NULL DEFAULT 0, r16 int4 NOT NULL DEFAULT 0, r17 int4 NOT NULL DEFAULT 0,
  r18 int4 NOT NULL DEFAULT 0, r19 int4 NOT NULL DEFAULT 0, r20 int4 NOT NULL DEFAULT 0, r21 int4 NOT NULL DEFAULT 0, r22 int4 NOT NULL DEFAULT 0, r23 int4 NOT NULL DEFAULT 0,
  PRIMARY KEY (minute, kind, worker)
) WITH (fillfactor = 70);

CREATE TABLE audit (
  n         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id        uuid NOT NULL UNIQUE,
  at        int8 NOT NULL,
  principal text NOT NULL,
  role      text NOT NULL,
  action    text NOT NULL,
  target    text NOT NULL,
  before    text,
  after     text,
  request   text
);
CREATE INDEX audit_at ON audit (at, n);
CREATE INDEX audit_principal ON audit (principal, at, n);
CREATE INDEX audit_action ON audit (action, at, n);
CREATE INDEX audit_target ON audit (target, at, n);

-- Live jobs of a few kinds, the newest first, each kind by itself: however many others there are, they are not walked over.
-- Of each at most p_bound rows are looked at; below `next` there may be more, where that was not enough. Which fit: as in
-- src/engines/postgres/list-live.ts.
CREATE FUNCTION walk_kinds(
  p_kinds int4[], p_below uuid, p_above uuid, p_queued boolean, p_running boolean, p_blocked boolean, p_from int8, p_until int8,
  p_fingerprint text, p_limit int4, p_bound int4, OUT ids uuid[], OUT next uuid
) LANGUAGE plpgsql STABLE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
  SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  WITH held AS MATERIALIZED (
    SELECT u.id, u.epoch - 1 AS epoch FROM lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch)
  ), found AS MATERIALIZED (
    SELECT k.kind, ARRAY (
      SELECT j.id FROM (
        -- By the pair: the planner thinks of any range as short, and would take the primary key. The bounds of the id leave out
        -- partitions.
        SELECT job.id, job.state, job.epoch, job.created_at, job.last_error FROM job
        WHERE (job.kind, job.id) < (k.kind, p_below) AND (job.kind, job.id) >= (k.kind, p_above) AND job.id < p_below AND job.id >= p_above
        ORDER BY job.kind DESC, job.id DESC LIMIT p_bound) AS j
      WHERE CASE j.state WHEN 3 THEN p_blocked WHEN 0 THEN CASE WHEN p_queued = p_running THEN p_queued
          WHEN (j.id, j.epoch) IN (SELECT h.id, h.epoch FROM held h) THEN p_running ELSE p_queued END ELSE false END
        AND j.created_at >= p_from AND j.created_at < p_until
        AND (p_fingerprint IS NULL OR j.last_error ->> 'fingerprint' = p_fingerprint)
      LIMIT p_limit) AS ids
    FROM unnest(p_kinds) AS k (kind)
  ), ended AS MATERIALIZED (
    SELECT (SELECT job.id FROM job
      WHERE (job.kind, job.id) < (f.kind, p_below) AND (job.kind, job.id) >= (f.kind, p_above) AND job.id < p_below AND job.id >= p_above
      ORDER BY job.kind DESC, job.id DESC OFFSET p_bound - 1 LIMIT 1) AS id
    FROM found f WHERE cardinality(f.ids) < p_limit
    ORDER BY 1 DESC NULLS LAST LIMIT 1
  )
  SELECT ARRAY (SELECT u.id FROM found f, LATERAL unnest(f.ids) AS u (id)
      WHERE u.id >= coalesce((SELECT e.id FROM ended e), u.id) ORDER BY u.id DESC LIMIT p_limit), (SELECT e.id FROM ended e)
  INTO ids, next;
  IF cardinality(ids) >= p_limit THEN next := NULL; END IF;
END $$;

-- A whole page of those that wait, where more than p_least wait in at most p_most kinds; null where that takes more to tell.
CREATE FUNCTION newest_waiting(
  p_types text[], p_queues text[], p_below uuid, p_above uuid, p_running boolean, p_blocked boolean, p_from int8, p_until int8, p_limit int4,
  p_bound int4, p_most int4, p_least int4
) RETURNS uuid[] LANGUAGE plpgsql STABLE
  SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_kinds int4[];
  v_waiting int8;
  v_ids uuid[];
BEGIN
  v_kinds := ARRAY (SELECT k.kind FROM kind k
    WHERE (p_types IS NULL OR k.type = ANY (p_types)) AND (p_queues IS NULL OR k.queue = ANY (p_queues)) LIMIT p_most + 1);
  IF cardinality(v_kinds) > p_most THEN RETURN NULL; END IF;
  SELECT coalesce((SELECT sum(c.ready + c.delayed) FROM counter c WHERE c.kind = ANY (v_kinds)), 0)
    + coalesce((SELECT sum(d.ready + d.delayed) FROM delta d WHERE d.seq >= (SELECT m.folded_to FROM meta m LIMIT 1)
      AND d.seq < 9223372036854775807 AND d.kind = ANY (v_kinds)), 0)
  INTO v_waiting;
  IF v_waiting <= p_least THEN RETURN NULL; END IF;
  SELECT w.ids INTO v_ids
  FROM walk_kinds(v_kinds, p_below, p_above, true, p_running, p_blocked, p_from, p_until, NULL, p_limit, p_bound) AS w;
  RETURN CASE WHEN cardinality(v_ids) = p_limit THEN v_ids END;
END $$;

-- Appends a batch. The lock is held for as long as this takes, and not for a flush of the log: after a crash of the server the
-- last batches may be gone and their places given anew, so another start of it is a gap to every reader. The same batch
-- again changes nothing. p_wake: what to say to those who listen, if anything.
CREATE FUNCTION feed_append(p_now int8, p_wake text, p_batch uuid, p_count int4, p_entries text) RETURNS void LANGUAGE plpgsql VOLATILE
  SECURITY DEFINER SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_state feed_state;
  v_last int8;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO v_state FROM feed_state FOR UPDATE;
  IF EXISTS (SELECT FROM feed f WHERE f.batch = p_batch) THEN RETURN; END IF;
  v_last := greatest(v_state.pruned, (SELECT f.last FROM feed f ORDER BY f.last DESC LIMIT 1));
  IF v_state.server <> pg_postmaster_start_time() THEN
    v_last := v_last + 1000000;
    UPDATE feed_state SET pruned = v_last, server = pg_postmaster_start_time();
  END IF;
  INSERT INTO feed (last, count, at, batch, entries) VALUES (v_last + p_count, p_count, now_ms(p_now), p_batch, p_entries);
  IF p_wake IS NOT NULL THEN PERFORM wake(p_wake); END IF;
END $$;

-- Somebody watches for this long. Said to all when nobody did before.
CREATE FUNCTION feed_watch(p_now int8, p_for int8, p_wake text) RETURNS void LANGUAGE plpgsql VOLATILE
  SECURITY DEFINER SET search_path FROM CURRENT
AS $$
DECLARE
  v_until int8;
  v_now int8;
BEGIN
  SELECT s.watched_until INTO v_until FROM feed_state s FOR UPDATE;
  v_now := now_ms(p_now);
  UPDATE feed_state SET watched_until = v_now + p_for WHERE watched_until < v_now + p_for;
  IF v_until <= v_now THEN PERFORM wake(p_wake); END IF;
END $$;

-- Deletes up to p_limit batches that are too old or too many, the oldest first. Answers how many.
CREATE FUNCTION feed_prune(p_now int8, p_limit int4, p_age int8, p_most int8) RETURNS int4 LANGUAGE plpgsql VOLATILE
  SECURITY DEFINER SET search_path FROM CURRENT SET jit = off SET enable_seqscan = off
AS $$
DECLARE
  v_from int8 := (SELECT s.pruned FROM feed_state s);
  v_newest int8 := (SELECT f.last FROM feed f ORDER BY f.last DESC LIMIT 1);
  v_to int8;
  v_count int4;
BEGIN
  SELECT max(o.last) INTO v_to FROM (SELECT f.last, f.count, f.at FROM feed f WHERE f.last > v_from ORDER BY f.last LIMIT p_limit) AS o
  WHERE o.at < now_ms(p_now) - p_age OR o.last - o.count < v_newest - p_most;
  IF v_to IS NULL THEN RETURN 0; END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  DELETE FROM feed f WHERE f.last > v_from AND f.last <= v_to;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  UPDATE feed_state SET pruned = v_to WHERE pruned < v_to;
  RETURN v_count;
END $$;

-- Keeps what was done by whom. An entry that is there already stays as it is.
CREATE FUNCTION audit_append(p_now int8, p_entries json) RETURNS void LANGUAGE plpgsql VOLATILE
  SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO audit (id, at, principal, role, action, target, before, after, request)
  SELECT (e.v ->> 'id')::uuid, now_ms(p_now), e.v ->> 'principal', e.v ->> 'role', e.v ->> 'action', e.v ->> 'target',
    e.v ->> 'before', e.v ->> 'after', e.v ->> 'request'
  FROM json_array_elements(p_entries) WITH ORDINALITY AS e (v, n)
  -- Numbers are for those that are new: they tell how many there are.
  WHERE NOT EXISTS (SELECT FROM audit a WHERE a.id = (e.v ->> 'id')::uuid) ORDER BY e.n
  ON CONFLICT DO NOTHING;
END $$;

REVOKE EXECUTE ON FUNCTION feed_append, feed_watch, feed_prune, audit_append FROM PUBLIC;
