-- What crawls found, in the queue's own schema. A crawl's rows are written only by the attempt whose epoch the crawl
-- carries. Instants are milliseconds since 1970; flags are 0 or 1; JSON is text. What is put in order is compared by
-- its bytes, as on SQLite: an order by language would make crawls of one site differ from database to database.

CREATE TABLE seology_connection (
  owner text NOT NULL,
  id text NOT NULL,
  url text NOT NULL,
  -- unknown, healthy, degraded (a high issue is open), critical, unreachable
  health text NOT NULL,
  last_crawl_id bigint,
  last_crawled_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (owner, id)
);

CREATE TABLE seology_crawl (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  owner text NOT NULL,
  connection_id text NOT NULL,
  job_id text NOT NULL,
  -- A job that is run again after its end crawls again.
  run integer NOT NULL,
  -- Of the attempt that may write.
  epoch integer NOT NULL,
  -- running, finished, failed, cancelled
  state text NOT NULL,
  url text NOT NULL,
  options text NOT NULL,
  started_at bigint NOT NULL,
  finished_at bigint,
  -- The last wave that was begun; 0 before the first.
  wave integer NOT NULL DEFAULT 0,
  -- URLs that were given a place in the page budget.
  taken integer NOT NULL DEFAULT 0,
  -- Candidates were dropped, so the crawl is not complete.
  truncated integer NOT NULL DEFAULT 0,
  -- Why the crawl ended before its frontier did.
  stopped text,
  result text,
  error text,
  UNIQUE (job_id, run)
  -- Changed with every wave, and in no indexed column.
) WITH (fillfactor = 50);

-- What is known about the site beside its pages, one row for each step that is done. Apart from the crawl's own row,
-- which changes often and should stay small.
CREATE TABLE seology_crawl_fact (
  crawl_id bigint NOT NULL,
  -- home, robots, sitemap, probes, host-variants
  name text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (crawl_id, name)
);

CREATE INDEX seology_crawl_of_connection ON seology_crawl (owner, connection_id, id);

-- Every URL that belongs to the site: the frontier and what came of it.
CREATE TABLE seology_page (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  crawl_id bigint NOT NULL,
  owner text NOT NULL,
  key text COLLATE "C" NOT NULL,
  fetch_url text COLLATE "C" NOT NULL,
  -- queued, fetching, done (answered), failed (no usable answer), skipped
  state text NOT NULL,
  -- Why it was skipped.
  reason text,
  depth integer NOT NULL,
  -- 0 found by a link or redirect, 1 by a canonical or hreflang, 2 by the sitemap alone.
  rank integer NOT NULL,
  discovered_by text NOT NULL,
  -- fetch_url of the page that it was first found on; '' for none.
  discovered_from text COLLATE "C" NOT NULL,
  -- The wave that it was chosen in; null while it only waits.
  wave integer,
  attempts integer NOT NULL DEFAULT 0,
  -- When a failed one is to be tried again; null when it is not.
  retry_at bigint,
  fetched_at bigint,
  final_url text,
  status integer,
  content_type text,
  error text,
  ttfb_ms double precision,
  body_bytes bigint,
  title text,
  words integer,
  text_hash text,
  hops text,
  facts text,
  UNIQUE (crawl_id, key)
);

CREATE INDEX seology_page_frontier ON seology_page (crawl_id, rank, depth, key) WHERE state = 'queued';
CREATE INDEX seology_page_in_flight ON seology_page (crawl_id, key) WHERE state = 'fetching';
CREATE INDEX seology_page_by_wave ON seology_page (crawl_id, wave, key) WHERE wave IS NOT NULL;
CREATE INDEX seology_page_passed_over ON seology_page (crawl_id, key) WHERE state = 'skipped' AND wave IS NULL;
CREATE INDEX seology_page_retry ON seology_page (crawl_id, retry_at) WHERE retry_at IS NOT NULL;

CREATE TABLE seology_link_target (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  crawl_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  url text COLLATE "C" NOT NULL,
  internal integer NOT NULL,
  -- Null until checked; a target that was crawled as a page is never checked.
  verdict text,
  status integer,
  checked_at bigint,
  "check" text,
  UNIQUE (crawl_id, key)
);

CREATE TABLE seology_link (
  target_id bigint NOT NULL,
  source_id bigint NOT NULL,
  follow integer NOT NULL,
  occurrences integer NOT NULL,
  PRIMARY KEY (target_id, source_id)
);

CREATE TABLE seology_sitemap_entry (
  crawl_id bigint NOT NULL,
  position integer NOT NULL,
  loc text NOT NULL,
  lastmod text,
  alternates text,
  file text NOT NULL,
  line integer NOT NULL,
  PRIMARY KEY (crawl_id, position)
);

CREATE TABLE seology_issue (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  crawl_id bigint NOT NULL,
  owner text NOT NULL,
  check_id text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  variant text COLLATE "C" NOT NULL,
  -- 1 critical, 2 high, 3 medium, 4 low, 5 info
  severity integer NOT NULL,
  category text NOT NULL,
  scope text NOT NULL,
  verdict text NOT NULL,
  page text,
  -- The page that was judged by itself; null for what only the whole site shows.
  page_id bigint,
  occurrences integer NOT NULL,
  evidence text NOT NULL,
  advice text NOT NULL,
  caused_by text,
  rule_version integer NOT NULL,
  mode text NOT NULL,
  fetched_at bigint NOT NULL
);

-- A subject can be a link of any length, and an index entry has room for some 2,700 bytes: so its hash.
CREATE UNIQUE INDEX seology_issue_once
  ON seology_issue (crawl_id, check_id, hashtextextended(subject, 0), variant);
CREATE INDEX seology_issue_by_severity ON seology_issue (crawl_id, verdict, severity, check_id);
CREATE INDEX seology_issue_of_page ON seology_issue (page_id) WHERE page_id IS NOT NULL;
