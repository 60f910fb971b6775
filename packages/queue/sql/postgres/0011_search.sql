-- What jobs can be found by. A job without attributes has no rows here. Found newest first: ids begin with when they were made.
CREATE TABLE attribute (
  -- The job's.
  id    uuid NOT NULL,
  name  text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  PRIMARY KEY (id, name)
);
CREATE INDEX attribute_value ON attribute (name, value, id);

-- Stores attributes of jobs that were just stored: {"1": {"site": "a"}} belongs to p_ids[1]. p_stored: the ordinals of those
-- that are new; null for all.
CREATE FUNCTION keep_attributes(p_ids uuid[], p_attributes json, p_stored int4[] DEFAULT NULL) RETURNS void LANGUAGE plpgsql VOLATILE
  SET search_path FROM CURRENT SET jit = off
AS $$
BEGIN
  INSERT INTO attribute (id, name, value)
  SELECT p_ids[j.key::int4], a.key, a.value FROM json_each(p_attributes) AS j, json_each_text(j.value) AS a
  WHERE p_stored IS NULL OR j.key::int4 = ANY (p_stored);
END $$;

-- As src/search-attributes.ts has it. Answers them as `keep_attributes` takes them, for the first job; null when there are none.
CREATE FUNCTION option_attributes(p_value jsonb) RETURNS json LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
  v_name text;
  v_value jsonb;
  v_found jsonb := '{}';
BEGIN
  IF jsonb_typeof(p_value) <> 'object' OR (SELECT count(*) FROM jsonb_object_keys(p_value)) > 16 THEN
    PERFORM refuse('attributes must be a JSON object of at most 16 names and values', 'For example: {"attributes": {"site": "s1"}}');
  END IF;
  FOR v_name, v_value IN SELECT o.key, o.value FROM jsonb_each(p_value) AS o WHERE o.value <> 'null' LOOP
    PERFORM check_name('attribute', v_name);
    IF jsonb_typeof(v_value) IN ('array', 'object') OR length(v_value #>> '{}') > 200 THEN
      PERFORM refuse(format('attribute %s must be a number, a boolean or text of at most 200 characters', v_name), 'Leave it out for none.');
    END IF;
    v_found := v_found || jsonb_build_object(v_name, v_value #>> '{}');
  END LOOP;
  RETURN CASE WHEN v_found <> '{}' THEN json_build_object('1', v_found) END;
END $$;
