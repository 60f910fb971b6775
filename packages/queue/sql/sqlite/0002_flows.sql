-- Flows, steps and signals. A plain job's row says NULL where these would stand, and nothing else of it is here.

ALTER TABLE millrace_job ADD COLUMN flow BLOB;
ALTER TABLE millrace_job ADD COLUMN origin BLOB;
ALTER TABLE millrace_history ADD COLUMN flow BLOB;
ALTER TABLE millrace_history ADD COLUMN origin BLOB;
ALTER TABLE millrace_worker ADD COLUMN lanes TEXT;

-- Dead and retried jobs by their fault; a job that has never failed is not in them.
CREATE INDEX millrace_history_fingerprint ON millrace_history (last_error ->> '$.fingerprint', seq)
  WHERE last_error IS NOT NULL;
CREATE INDEX millrace_job_fingerprint ON millrace_job (last_error ->> '$.fingerprint', n)
  WHERE last_error IS NOT NULL;

-- n is the order of arrival. failed: jobs that died under the policy `fail`. stopped: jobs that were cancelled for their
-- own sake, not skipped. state is a number of src/engines/sqlite/flow-codes.ts.
CREATE TABLE millrace_flow (
  n               INTEGER PRIMARY KEY AUTOINCREMENT,
  id              BLOB NOT NULL UNIQUE,
  name            TEXT NOT NULL,
  tenant          TEXT NOT NULL,
  state           INTEGER NOT NULL DEFAULT 0,
  total           INTEGER NOT NULL,
  completed       INTEGER NOT NULL DEFAULT 0,
  cancelled       INTEGER NOT NULL DEFAULT 0,
  dead            INTEGER NOT NULL DEFAULT 0,
  failed          INTEGER NOT NULL DEFAULT 0,
  stopped         INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL,
  finished_at     INTEGER,
  cancel_reason   TEXT,
  idempotency_key TEXT
) STRICT;
CREATE INDEX millrace_flow_state ON millrace_flow (state, n);
CREATE INDEX millrace_flow_name ON millrace_flow (name, n);
CREATE INDEX millrace_flow_tenant ON millrace_flow (tenant, n) WHERE tenant <> '';

-- Keys of flows, as millrace_idempotency keeps those of jobs.
CREATE TABLE millrace_flow_key (
  tenant     TEXT NOT NULL,
  key        TEXT NOT NULL,
  id         BLOB NOT NULL,
  body_hash  TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX millrace_flow_key_expiry ON millrace_flow_key (expires_at) WHERE expires_at IS NOT NULL;

-- A job's place in its flow. waits: how many of those that it depends on have not ended; 0 unless it is blocked by them.
-- skipped: cancelled for another's sake, or asked to stop for that while it ran; says nothing of one that ended otherwise.
CREATE TABLE millrace_node (
  job        BLOB PRIMARY KEY,
  flow       BLOB NOT NULL,
  ordinal    INTEGER NOT NULL,
  name       TEXT NOT NULL,
  on_failure INTEGER NOT NULL,
  waits      INTEGER NOT NULL DEFAULT 0,
  skipped    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX millrace_node_ordinal ON millrace_node (flow, ordinal);
CREATE UNIQUE INDEX millrace_node_name ON millrace_node (flow, name);
CREATE INDEX millrace_node_waits ON millrace_node (job) WHERE waits > 0;

-- awaited: the dependent is in a step that waits for this job, its child.
CREATE TABLE millrace_edge (
  job       BLOB NOT NULL,
  dependent BLOB NOT NULL,
  awaited   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job, dependent)
) STRICT, WITHOUT ROWID;
CREATE INDEX millrace_edge_dependent ON millrace_edge (dependent, job);

-- parked: the epoch of the attempt that ended in this step's wait. The job waits in it as long as it has that epoch.
CREATE TABLE millrace_step (
  job        BLOB NOT NULL,
  name       TEXT NOT NULL,
  ordinal    INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  state      TEXT NOT NULL,
  attempt    INTEGER NOT NULL,
  epoch      INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,
  wake_at    INTEGER,
  parked     INTEGER,
  signal     TEXT,
  child      BLOB,
  error      TEXT,
  result     TEXT,
  UNIQUE (job, name)
) STRICT;
-- With millrace_node_waits: where blocked jobs are found, at no cost to others.
CREATE INDEX millrace_step_parked ON millrace_step (job) WHERE parked IS NOT NULL;

-- A signal that was taken is kept by its id alone, so that it does not arrive again.
CREATE TABLE millrace_signal (
  n       INTEGER PRIMARY KEY AUTOINCREMENT,
  id      BLOB NOT NULL UNIQUE,
  job     BLOB NOT NULL,
  name    TEXT NOT NULL,
  payload TEXT NOT NULL,
  at      INTEGER NOT NULL,
  taken   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX millrace_signal_job ON millrace_signal (job, taken, name);
