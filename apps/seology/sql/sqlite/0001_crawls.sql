-- What crawls found, in the same file as the queue. A crawl's rows are written only by the attempt whose epoch the
-- crawl carries. Instants are milliseconds since 1970; JSON is text.

CREATE TABLE seology_connection (
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  url TEXT NOT NULL,
  -- unknown, healthy, degraded (a high issue is open), critical, unreachable
  health TEXT NOT NULL,
  last_crawl_id INTEGER,
  last_crawled_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE seology_crawl (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  -- A job that is run again after its end crawls again.
  run INTEGER NOT NULL,
  -- Of the attempt that may write.
  epoch INTEGER NOT NULL,
  -- running, finished, failed, cancelled
  state TEXT NOT NULL,
  url TEXT NOT NULL,
  options TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- The last wave that was begun; 0 before the first.
  wave INTEGER NOT NULL DEFAULT 0,
  -- URLs that were given a place in the page budget.
  taken INTEGER NOT NULL DEFAULT 0,
  -- Candidates were dropped, so the crawl is not complete.
  truncated INTEGER NOT NULL DEFAULT 0,
  -- Why the crawl ended before its frontier did.
  stopped TEXT,
  result TEXT,
  error TEXT,
  UNIQUE (job_id, run)
) STRICT;

-- What is known about the site beside its pages, one row for each step that is done. Apart from the crawl's own row,
-- which changes often and should stay small.
CREATE TABLE seology_crawl_fact (
  crawl_id INTEGER NOT NULL,
  -- home, robots, sitemap, probes, host-variants
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (crawl_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX seology_crawl_of_connection ON seology_crawl (owner, connection_id, id);

-- Every URL that belongs to the site: the frontier and what came of it.
CREATE TABLE seology_page (
  id INTEGER PRIMARY KEY,
  crawl_id INTEGER NOT NULL,
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  fetch_url TEXT NOT NULL,
  -- queued, fetching, done (answered), failed (no usable answer), skipped
  state TEXT NOT NULL,
  -- Why it was skipped.
  reason TEXT,
  depth INTEGER NOT NULL,
  -- 0 found by a link or redirect, 1 by a canonical or hreflang, 2 by the sitemap alone.
  rank INTEGER NOT NULL,
  discovered_by TEXT NOT NULL,
  -- fetch_url of the page that it was first found on; '' for none.
  discovered_from TEXT NOT NULL,
  -- The wave that it was chosen in; null while it only waits.
  wave INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  -- When a failed one is to be tried again; null when it is not.
  retry_at INTEGER,
  fetched_at INTEGER,
  final_url TEXT,
  status INTEGER,
  content_type TEXT,
  error TEXT,
  ttfb_ms REAL,
  body_bytes INTEGER,
  title TEXT,
  words INTEGER,
  text_hash TEXT,
  hops TEXT,
  facts TEXT,
  UNIQUE (crawl_id, key)
) STRICT;

CREATE INDEX seology_page_frontier ON seology_page (crawl_id, rank, depth, key) WHERE state = 'queued';
CREATE INDEX seology_page_in_flight ON seology_page (crawl_id, key) WHERE state = 'fetching';
CREATE INDEX seology_page_by_wave ON seology_page (crawl_id, wave, key) WHERE wave IS NOT NULL;
CREATE INDEX seology_page_passed_over ON seology_page (crawl_id, key) WHERE state = 'skipped' AND wave IS NULL;
CREATE INDEX seology_page_retry ON seology_page (crawl_id, retry_at) WHERE retry_at IS NOT NULL;

CREATE TABLE seology_link_target (
  id INTEGER PRIMARY KEY,
  crawl_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  url TEXT NOT NULL,
  internal INTEGER NOT NULL,
  -- Null until checked; a target that was crawled as a page is never checked.
  verdict TEXT,
  status INTEGER,
  checked_at INTEGER,
  "check" TEXT,
  UNIQUE (crawl_id, key)
) STRICT;

CREATE TABLE seology_link (
  target_id INTEGER NOT NULL,
  source_id INTEGER NOT NULL,
  follow INTEGER NOT NULL,
  occurrences INTEGER NOT NULL,
  PRIMARY KEY (target_id, source_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE seology_sitemap_entry (
  crawl_id INTEGER NOT NULL,
  position INTEGER NOT NULL,
  loc TEXT NOT NULL,
  lastmod TEXT,
  alternates TEXT,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (crawl_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE seology_issue (
  id INTEGER PRIMARY KEY,
  crawl_id INTEGER NOT NULL,
  owner TEXT NOT NULL,
  check_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  variant TEXT NOT NULL,
  -- 1 critical, 2 high, 3 medium, 4 low, 5 info
  severity INTEGER NOT NULL,
  category TEXT NOT NULL,
  scope TEXT NOT NULL,
  verdict TEXT NOT NULL,
  page TEXT,
  -- The page that was judged by itself; null for what only the whole site shows.
  page_id INTEGER,
  occurrences INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  advice TEXT NOT NULL,
  caused_by TEXT,
  rule_version INTEGER NOT NULL,
  mode TEXT NOT NULL,
  fetched_at INTEGER NOT NULL,
  UNIQUE (crawl_id, check_id, subject, variant)
) STRICT;

CREATE INDEX seology_issue_by_severity ON seology_issue (crawl_id, verdict, severity, check_id, subject, variant);
CREATE INDEX seology_issue_of_page ON seology_issue (page_id) WHERE page_id IS NOT NULL;
