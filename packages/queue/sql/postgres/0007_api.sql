-- For psql, triggers, other languages and people: enqueue, cancel, retry, and a view of the jobs.

CREATE FUNCTION refuse(p_message text, p_hint text) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = p_message, HINT = p_hint;
END $$;

-- JSON in the one form that src/job/json.ts gives it (`canonicalJson`), so that a key is a duplicate whoever enqueues.
-- These have no search path of their own, because they call each other for every member: their caller has.

-- A number as JavaScript writes it. Refused is what a double would bend silently.
CREATE FUNCTION canonical_number(p_text text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_parts text[];
  v_digits text;
  -- The number is 0.digits times ten to this.
  v_power int4;
  v_text text;
  v_value float8;
  v_shorter text;
BEGIN
  IF p_text ~ '^-?[1-9][0-9]{0,14}$' OR p_text ~ '^-?(0|[1-9][0-9]{0,7})\.[0-9]{0,5}[1-9]$' THEN RETURN p_text; END IF;
  v_parts := decimal_parts(p_text);
  v_digits := v_parts[1];
  v_power := v_parts[2];
  IF v_digits = '' OR v_power < -325 THEN RETURN '0'; END IF;
  IF p_text !~ '[.eE]' AND (v_power > 16 OR abs(p_text::int8) > 9007199254740991) THEN
    PERFORM refuse(format('payload: %s is beyond 2^53 and would lose digits', left(p_text, 40)), 'Send it as a string.');
  ELSIF v_power > 309 THEN
    PERFORM refuse(format('payload: %s is larger than a number can be', left(p_text, 40)), 'Send it as a string.');
  ELSIF v_power BETWEEN -300 AND 308 THEN
    v_value := abs(p_text::float8);
  ELSE
    BEGIN
      v_value := abs(p_text::float8);
    EXCEPTION WHEN numeric_value_out_of_range THEN
      IF v_power < 0 THEN RETURN '0'; END IF;
      PERFORM refuse(format('payload: %s is larger than a number can be', left(p_text, 40)), 'Send it as a string.');
    END;
  END IF;
  v_parts := decimal_parts(v_value::text);
  v_digits := v_parts[1];
  v_power := v_parts[2];
  -- Both write the fewest digits that mean the same double, but Postgres none that lie midway between two.
  WHILE length(v_digits) > 1 AND v_power BETWEEN 16 AND 45 LOOP
    v_shorter := CASE
      WHEN (left(v_digits, -1) || 'e' || v_power - length(v_digits) + 1)::float8 = v_value THEN left(v_digits, -1)
      WHEN (left(v_digits, -1)::int8 + 1 || 'e' || v_power - length(v_digits) + 1)::float8 = v_value THEN (left(v_digits, -1)::int8 + 1)::text
    END;
    EXIT WHEN v_shorter IS NULL;
    v_power := v_power + length(v_shorter) - length(v_digits) + 1;
    v_digits := rtrim(v_shorter, '0');
  END LOOP;
  RETURN CASE WHEN p_text LIKE '-%' THEN '-' ELSE '' END || CASE
    WHEN length(v_digits) <= v_power AND v_power <= 21 THEN rpad(v_digits, v_power, '0')
    WHEN 0 < v_power AND v_power <= 21 THEN left(v_digits, v_power) || '.' || substr(v_digits, v_power + 1)
    WHEN -6 < v_power AND v_power <= 0 THEN '0.' || repeat('0', -v_power) || v_digits
    ELSE left(v_digits, 1) || CASE WHEN length(v_digits) > 1 THEN '.' || substr(v_digits, 2) ELSE '' END
      || 'e' || CASE WHEN v_power > 0 THEN '+' ELSE '-' END || abs(v_power - 1)
  END;
END $$;

-- The significant digits of a decimal number, and the power of ten that 0.digits is to be multiplied with.
CREATE FUNCTION decimal_parts(p_text text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_mantissa text := split_part(lower(ltrim(p_text, '-')), 'e', 1);
  v_exponent text := split_part(lower(ltrim(p_text, '-')), 'e', 2);
  v_digits text := replace(v_mantissa, '.', '');
  v_significant text := ltrim(v_digits, '0');
BEGIN
  -- Above six digits it is beyond all bounds in any case.
  IF length(ltrim(v_exponent, '+-0')) > 6 THEN v_exponent := replace(left(v_exponent, 1), '+', '') || '9999999'; END IF;
  RETURN ARRAY[rtrim(v_significant, '0'),
    (length(split_part(v_mantissa, '.', 1)) + coalesce(nullif(v_exponent, ''), '0')::int4 - length(v_digits) + length(v_significant))::text];
END $$;

-- Sorts by code point as JavaScript does by the units of UTF-16, where what is above U+FFFF begins with a surrogate.
CREATE FUNCTION canonical_order(p_key text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF octet_length(p_key) = length(p_key) OR p_key !~ '[\uE000-\uFFFF]|[\U00010000-\U0010FFFF]' THEN RETURN p_key; END IF;
  RETURN regexp_replace(
    replace(replace(p_key, chr(1114110), chr(1114110) || 'a'), chr(1114111), chr(1114110) || 'b'),
    '([\uE000-\uFFFF])', chr(1114111) || '\1', 'g');
END $$;

CREATE FUNCTION canonical_json(p_json json, p_depth int4) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  CASE json_typeof(p_json)
    WHEN 'string' THEN RETURN to_json(p_json #>> '{}');
    WHEN 'number' THEN RETURN canonical_number(btrim(p_json::text, E' \t\n\r'));
    WHEN 'array', 'object' THEN
      IF p_depth > 200 THEN
        PERFORM refuse('payload: is nested deeper than 200 levels', 'Store the data elsewhere and enqueue a reference to it.');
      END IF;
    ELSE RETURN btrim(p_json::text, E' \t\n\r');
  END CASE;
  IF json_typeof(p_json) = 'array' THEN
    RETURN (SELECT '[' || coalesce(string_agg(canonical_json(e.value, p_depth + 1), ',' ORDER BY e.n), '') || ']'
      FROM json_array_elements(p_json) WITH ORDINALITY AS e (value, n));
  END IF;
  IF EXISTS (SELECT FROM json_object_keys(p_json) AS k WHERE k = '__proto__') THEN
    PERFORM refuse('payload: a key must not be named __proto__', 'Give it another name.');
  END IF;
  -- Of members of the same name the last counts. Names that are array indexes come first, by their number.
  RETURN (
    SELECT '{' || coalesce(string_agg(to_json(m.key) || ':' || canonical_json(m.value, p_depth + 1), ','
      ORDER BY m.index NULLS LAST, canonical_order(m.key) COLLATE "C"), '') || '}'
    FROM (
      SELECT DISTINCT ON (e.key COLLATE "C") e.key, e.value,
        CASE WHEN e.key ~ '^(0|[1-9][0-9]{0,9})$' THEN CASE WHEN e.key::int8 < 4294967295 THEN e.key::int8 END END AS index
      FROM json_each(p_json) WITH ORDINALITY AS e (key, value, n) ORDER BY e.key COLLATE "C", e.n DESC
    ) AS m);
END $$;

-- UUIDv7, the version's first twelve bits being microseconds, so that ids sort by when they were made.
CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT (lpad(to_hex(t.us / 1000), 12, '0') || '7' || lpad(to_hex(t.us % 1000 * 4096 / 1000), 3, '0')
    || substr(replace(gen_random_uuid()::text, '-', ''), 17))::uuid
  FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS us) AS t
$$;

CREATE FUNCTION option_number(p_name text, p_value jsonb, p_least int8, p_most int8) RETURNS int8 LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF jsonb_typeof(p_value) <> 'number' OR p_value::numeric % 1 <> 0 OR p_value::numeric NOT BETWEEN p_least AND p_most THEN
    PERFORM refuse(format('%s must be a whole number from %s to %s, not %s', p_name, p_least, p_most, p_value),
      format('For example: {"%s": %s}', p_name, p_least));
  END IF;
  RETURN p_value::numeric;
END $$;

CREATE FUNCTION option_text(p_name text, p_value jsonb, p_longest int4) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF jsonb_typeof(p_value) <> 'string' OR length(p_value #>> '{}') NOT BETWEEN 1 AND p_longest THEN
    PERFORM refuse(format('%s must be text of 1 to %s characters, not %s', p_name, p_longest, left(p_value::text, 100)),
      'Leave it out for none.');
  END IF;
  RETURN p_value #>> '{}';
END $$;

CREATE FUNCTION option_instant(p_name text, p_value jsonb) RETURNS int8 LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_ms float8;
BEGIN
  BEGIN
    v_ms := CASE jsonb_typeof(p_value) WHEN 'number' THEN p_value::float8
      ELSE extract(epoch FROM (p_value #>> '{}')::timestamptz) * 1000 END;
  EXCEPTION WHEN data_exception THEN v_ms := NULL;
  END;
  IF v_ms IS NULL OR abs(v_ms) > 8.64e15 THEN
    PERFORM refuse(format('%s must be an instant or epoch milliseconds, not %s', p_name, left(p_value::text, 100)),
      format('For example: {"%s": "2030-01-31T09:00:00Z"}', p_name));
  END IF;
  RETURN round(v_ms);
END $$;

CREATE FUNCTION check_name(p_what text, p_name text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF p_name IS NULL OR p_name !~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$' THEN
    PERFORM refuse(format('%s %s is not a usable name', p_what, coalesce(to_json(left(p_name, 200))::text, 'NULL')),
      '1 to 128 letters, digits, ''_'', ''-'', ''.'', '':'', starting with a letter or digit.');
  END IF;
  RETURN p_name;
END $$;

-- Refuses what a TypeScript enqueue would refuse. Answers the canonical form if it had to be made.
CREATE FUNCTION check_payload(p_payload json) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_text text := p_payload;
BEGIN
  IF p_payload IS NULL THEN
    PERFORM refuse('payload is NULL', 'Write ''null'' or ''{}'' for none.');
  END IF;
  IF octet_length(v_text) > 1048576 THEN
    RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded',
      MESSAGE = format('payload is %s bytes of JSON, more than 1048576', octet_length(v_text)),
      HINT = 'Store the data elsewhere and enqueue a reference to it.';
  END IF;
  IF v_text ~ '\\u0000' AND v_text ~ '(^|[^\\])(\\\\)*\\u0000' THEN
    PERFORM refuse('payload holds a NUL character (\u0000)', 'A database can not store it in text: send it in base64.');
  END IF;
  -- The walk over every member is slow, and most payloads can hold nothing that it looks for.
  IF v_text ~ '__proto__|\\u|[0-9]{16}|[0-9][eE][-+0-9]' THEN RETURN canonical_json(p_payload, 0); END IF;
  IF jsonb_path_exists(p_payload::jsonb, 'strict $.**{201} ? (@.type() == "object" || @.type() == "array")') THEN
    RETURN canonical_json(p_payload, 0);
  END IF;
  RETURN NULL;
END $$;

-- The number of a queue and type; made when it is new. Whoever makes one in a long transaction holds up others who need the
-- same new one until then.
CREATE FUNCTION kind_of(p_queue text, p_type text) RETURNS int4 LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  v_kind int4;
BEGIN
  SELECT k.kind INTO v_kind FROM kind k WHERE k.queue = p_queue AND k.type = p_type;
  IF FOUND THEN RETURN v_kind; END IF;
  INSERT INTO kind (queue, type) VALUES (p_queue, p_type) ON CONFLICT DO NOTHING RETURNING kind INTO v_kind;
  IF FOUND THEN RETURN v_kind; END IF;
  SELECT k.kind INTO STRICT v_kind FROM kind k WHERE k.queue = p_queue AND k.type = p_type;
  RETURN v_kind;
END $$;

-- Enqueues a job in the current transaction, and answers its id, or the earlier job's of the same idempotency key. Options,
-- all optional: queue ('default'), priority (1 first, 10 last; 5), maxAttempts (3), runAt (an instant, or epoch ms), delayMs,
-- tenant, idempotencyKey, attributes (what it can be found by: {"site": "s1"}). Raises 22023 for what can't be meant, 54000 for a payload above 1 MiB, MR001 when the key was used
-- with another type or payload, MR002 when the queue is full. The worker checks the payload against its schema.
CREATE FUNCTION enqueue(type text, payload json, options jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql VOLATILE
  SECURITY DEFINER SET search_path FROM CURRENT SET extra_float_digits = 1
AS $$
#variable_conflict use_column
DECLARE
  v_type text := check_name('job type', enqueue.type);
  v_canonical text := check_payload(enqueue.payload);
  v_name text;
  v_value jsonb;
  v_queue text := 'default';
  v_priority int2 := 5;
  v_max_attempts int2 := 3;
  v_run_at int8;
  v_delay int8;
  v_tenant text;
  v_key text;
  v_hash text;
  v_attributes json;
  v_id uuid := new_id();
  -- One after the other, in the order in which this transaction makes them.
  v_place int4 := least(coalesce(nullif(current_setting('millrace_enqueue.place', true), ''), '0')::int4 + 1, 1048575);
  v_answer json;
BEGIN
  IF jsonb_typeof(enqueue.options) <> 'object' THEN
    PERFORM refuse('options must be a JSON object', 'For example: {"queue": "mail", "delayMs": 60000}');
  END IF;
  FOR v_name, v_value IN SELECT o.key, o.value FROM jsonb_each(enqueue.options) AS o WHERE o.value <> 'null' LOOP
    CASE v_name
      WHEN 'queue' THEN v_queue := check_name(v_name, option_text(v_name, v_value, 128));
      WHEN 'priority' THEN v_priority := option_number(v_name, v_value, 1, 10);
      WHEN 'maxAttempts' THEN v_max_attempts := option_number(v_name, v_value, 1, 10000);
      WHEN 'runAt' THEN v_run_at := option_instant(v_name, v_value);
      WHEN 'delayMs' THEN v_delay := option_number(v_name, v_value, 0, 3162240000000);
      WHEN 'tenant' THEN v_tenant := option_text(v_name, v_value, 200);
      WHEN 'idempotencyKey' THEN v_key := option_text(v_name, v_value, 500);
      WHEN 'attributes' THEN v_attributes := option_attributes(v_value);
      ELSE PERFORM refuse(format('%s is not an option', to_json(v_name)),
        'The options are queue, priority, maxAttempts, runAt, delayMs, tenant, idempotencyKey and attributes.');
    END CASE;
  END LOOP;
  IF v_key IS NOT NULL THEN
    v_canonical := coalesce(v_canonical, canonical_json(enqueue.payload, 0));
    v_hash := rtrim(translate(encode(sha256(convert_to(v_type || E'\n' || v_canonical, 'UTF8')), 'base64'), '+/', '-_'), '=');
  END IF;
  PERFORM set_config('millrace_enqueue.place', v_place::text, true);
  v_answer := enqueue_each(NULL, 'ready', ARRAY[v_id], enqueue.payload::text, ARRAY[v_tenant], ARRAY[kind_of(v_queue, v_type)],
    ARRAY[v_priority], ARRAY[v_max_attempts], ARRAY[v_place], ARRAY[v_run_at], ARRAY[v_delay], ARRAY[v_key], ARRAY[v_hash],
    p_attributes => v_attributes) -> '1';
  CASE coalesce(v_answer ->> 0, 'enqueued')
    WHEN 'enqueued' THEN RETURN v_id;
    WHEN 'duplicate' THEN RETURN (v_answer ->> 1)::uuid;
    WHEN 'idempotency-conflict' THEN
      RAISE EXCEPTION USING ERRCODE = 'MR001',
        MESSAGE = format('the idempotency key was used before for job %s with another type or payload', v_answer ->> 1),
        HINT = 'Use a new key for new work.';
    WHEN 'queue-full' THEN
      RAISE EXCEPTION USING ERRCODE = 'MR002',
        MESSAGE = format('queue %s holds %s jobs and takes no more than %s', v_queue, v_answer ->> 1, v_answer ->> 2),
        HINT = 'Try again later.';
  END CASE;
END $$;

-- Answers 'cancelled', 'requested' (it is running, and is told to stop), 'already-finished' or 'not-found'.
CREATE FUNCTION cancel(id uuid, reason text DEFAULT 'cancelled') RETURNS text LANGUAGE sql VOLATILE SET search_path FROM CURRENT
  AS $$ SELECT (cancel_jobs(NULL, 'settled', ARRAY[cancel.id], left(coalesce(cancel.reason, 'cancelled'), 1000))).answers[1] $$;

-- A finished job back to the queue, its attempts counted afresh. Answers 'redriven', 'not-finished' or 'not-found'.
CREATE FUNCTION retry(id uuid) RETURNS text LANGUAGE sql VOLATILE SET search_path FROM CURRENT
  AS $$ SELECT (redrive_jobs(NULL, 'ready', ARRAY[retry.id]))[1] $$;

CREATE FUNCTION instant(p_ms int8) RETURNS timestamptz LANGUAGE sql IMMUTABLE
  AS $$ SELECT pg_catalog.to_timestamp(p_ms / 1000.0) $$;

-- For people. Quick by id; anything else looks at all jobs there are.
CREATE VIEW jobs AS
SELECT j.id, k.queue, k.type,
  CASE j.state WHEN 0 THEN CASE WHEN h.id IS NULL THEN 'queued' ELSE 'running' END
    WHEN 3 THEN 'blocked' WHEN 4 THEN 'completed' WHEN 5 THEN 'cancelled' ELSE 'dead' END AS state,
  j.priority, nullif(j.tenant, '') AS tenant, j.idempotency_key,
  j.attempt + CASE WHEN h.id IS NULL THEN 0 ELSE 1 END AS attempt, j.max_attempts,
  instant(j.created_at) AS created_at, instant(j.run_at) AS run_at,
  instant(coalesce(h.at, j.finished_at - j.run_ms)) AS started_at, instant(j.finished_at) AS finished_at,
  w.label AS worker, j.payload, j.result, j.last_error AS error, j.cancel_reason, p.percent, p.message, j.flow
FROM job j
JOIN kind k ON k.kind = j.kind
LEFT JOIN (SELECT u.id, u.epoch, l.worker, l.at FROM lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch)) AS h
  ON h.id = j.id AND h.epoch = j.epoch + 1 AND j.state = 0
LEFT JOIN worker w ON w.worker = coalesce(h.worker, j.worker)
LEFT JOIN progress p ON p.id = j.id;

-- Whoever enqueues needs no right on the tables: with one, it could also write what a claim trusts. And partitions of `job`
-- can be made only by its owner. So these run as the owner, and who may call them is granted (see postgres-roles.sql).
ALTER FUNCTION enqueue_plain SECURITY DEFINER;
ALTER FUNCTION enqueue_each SECURITY DEFINER;
ALTER FUNCTION make_weeks SECURITY DEFINER;
REVOKE EXECUTE ON FUNCTION enqueue_plain, enqueue_each, enqueue, make_weeks FROM PUBLIC;
