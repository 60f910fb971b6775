-- Jobs that can still run stand in millrace_job; a finished job moves to millrace_history, so that what a claim reads
-- stays small. Phases and states are small numbers, named in src/engines/sqlite/codes.ts. Instants are epoch ms.

-- A queue and a type in one number: both filters, and the claim's index, need only this.
CREATE TABLE millrace_kind (
  kind  INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  type  TEXT NOT NULL,
  UNIQUE (queue, type)
) STRICT;

CREATE TABLE millrace_queue (
  queue      TEXT PRIMARY KEY,
  paused     INTEGER NOT NULL DEFAULT 0,
  max_queued INTEGER
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: n is the order of arrival and part of a lease, so it must never be given twice.
CREATE TABLE millrace_job (
  n               INTEGER PRIMARY KEY AUTOINCREMENT,
  id              BLOB NOT NULL UNIQUE,
  kind            INTEGER NOT NULL,
  phase           INTEGER NOT NULL,
  priority        INTEGER NOT NULL,
  run_at          INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  attempt         INTEGER NOT NULL DEFAULT 0,
  max_attempts    INTEGER NOT NULL,
  epoch           INTEGER NOT NULL DEFAULT 0,
  deaths          INTEGER NOT NULL DEFAULT 0,
  redrives        INTEGER NOT NULL DEFAULT 0,
  worker          INTEGER,
  started_at      INTEGER,
  tenant          TEXT NOT NULL DEFAULT '',
  idempotency_key TEXT,
  cancel_reason   TEXT,
  last_error      TEXT,
  payload         TEXT NOT NULL
) STRICT;
CREATE INDEX millrace_job_ready ON millrace_job (kind, priority, n) WHERE phase = 0;
CREATE INDEX millrace_job_due ON millrace_job (kind, run_at) WHERE phase = 1;
CREATE INDEX millrace_job_cancel ON millrace_job (worker) WHERE cancel_reason IS NOT NULL;
CREATE INDEX millrace_job_tenant ON millrace_job (tenant, n) WHERE tenant <> '';

-- One row a claimed batch, [[n, epoch], …]: who holds what, without an index entry a running job.
CREATE TABLE millrace_claim (
  batch   INTEGER PRIMARY KEY AUTOINCREMENT,
  worker  INTEGER NOT NULL,
  members TEXT NOT NULL
) STRICT;

-- One lease a worker covers all that it holds.
CREATE TABLE millrace_worker (
  worker     INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL UNIQUE,
  label      TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  beat_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

-- seq is the order in which jobs finished.
CREATE TABLE millrace_history (
  seq             INTEGER PRIMARY KEY AUTOINCREMENT,
  id              BLOB NOT NULL UNIQUE,
  kind            INTEGER NOT NULL,
  state           INTEGER NOT NULL,
  priority        INTEGER NOT NULL,
  run_at          INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  attempt         INTEGER NOT NULL,
  max_attempts    INTEGER NOT NULL,
  epoch           INTEGER NOT NULL,
  deaths          INTEGER NOT NULL,
  redrives        INTEGER NOT NULL,
  worker          INTEGER,
  started_at      INTEGER,
  finished_at     INTEGER NOT NULL,
  tenant          TEXT NOT NULL,
  idempotency_key TEXT,
  cancel_reason   TEXT,
  last_error      TEXT,
  payload         TEXT NOT NULL,
  result          TEXT
) STRICT;
CREATE INDEX millrace_history_kind ON millrace_history (kind, state, seq);
CREATE INDEX millrace_history_tenant ON millrace_history (tenant, seq) WHERE tenant <> '';

-- Every ended attempt but a completion, which the history row tells by itself.
CREATE TABLE millrace_attempt (
  id         BLOB NOT NULL,
  epoch      INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  worker     INTEGER,
  started_at INTEGER,
  ended_at   INTEGER NOT NULL,
  outcome    TEXT NOT NULL,
  error      TEXT,
  PRIMARY KEY (id, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE millrace_log (
  id      BLOB NOT NULL,
  epoch   INTEGER NOT NULL,
  line    INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  level   TEXT NOT NULL,
  message TEXT NOT NULL,
  data    TEXT,
  PRIMARY KEY (id, epoch, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE millrace_progress (
  id      BLOB PRIMARY KEY,
  percent REAL NOT NULL,
  message TEXT,
  data    TEXT
) STRICT, WITHOUT ROWID;

-- expires_at is set when the job goes; until then the key is as good as the job.
CREATE TABLE millrace_idempotency (
  tenant     TEXT NOT NULL,
  key        TEXT NOT NULL,
  id         BLOB NOT NULL,
  body_hash  TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX millrace_idempotency_expiry ON millrace_idempotency (expires_at) WHERE expires_at IS NOT NULL;

-- How many jobs of a kind are in each phase or state; kept in the same transactions that move them.
CREATE TABLE millrace_counter (
  kind  INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (kind, phase)
) STRICT, WITHOUT ROWID;

-- What happened in each ten minutes.
CREATE TABLE millrace_tally (
  at        INTEGER NOT NULL,
  kind      INTEGER NOT NULL,
  completed INTEGER NOT NULL DEFAULT 0,
  failed    INTEGER NOT NULL DEFAULT 0,
  dead      INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (at, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE millrace_schedule (
  name            TEXT PRIMARY KEY,
  rule            TEXT NOT NULL,
  misfire         TEXT NOT NULL,
  overlap         TEXT NOT NULL,
  job             TEXT NOT NULL,
  cursor_at       INTEGER,
  next_at         INTEGER NOT NULL,
  paused          INTEGER NOT NULL DEFAULT 0,
  disabled_reason TEXT,
  last_job        BLOB,
  created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE millrace_tick (
  schedule     TEXT NOT NULL,
  scheduled_at INTEGER NOT NULL,
  outcome      TEXT NOT NULL,
  job          BLOB,
  recorded_at  INTEGER NOT NULL,
  PRIMARY KEY (schedule, scheduled_at)
) STRICT, WITHOUT ROWID;
