-- The tables. Names are unqualified: the schema they are made in is the search path of the migration.
-- Instants are epoch milliseconds. States: 0 live (ready, delayed or running: told by where the job stands), 3 blocked,
-- 4 completed, 5 cancelled, 6 dead; they are named in src/engines/postgres/codes.ts.

-- Who this store is: a caller's transaction on another database is refused by it, and wake-ups carry its name.
CREATE TABLE meta (
  store      uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Counters are folded up to here; see `fold`.
  folded_to  int8 NOT NULL DEFAULT 0
);
INSERT INTO meta DEFAULT VALUES;

-- A queue and a type in one number.
CREATE TABLE kind (
  kind  int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text NOT NULL,
  type  text NOT NULL,
  UNIQUE (queue, type)
);

CREATE TABLE queue (
  queue      text PRIMARY KEY,
  paused     boolean NOT NULL DEFAULT false,
  max_queued int4
);

-- One row a job, live or finished, settled in place. No index holds a column that settling changes, so an update stays
-- within its page (HOT) and needs no index entry: hence the fillfactor. Weeks by the time in the id (few partitions: each
-- costs every statement a little); those that retention has emptied are dropped.
CREATE TABLE job (
  id              uuid NOT NULL,
  -- Where it is ready: the `seq` of its row in `ready`.
  place           int8 NOT NULL DEFAULT 0,
  created_at      int8 NOT NULL,
  run_at          int8 NOT NULL,
  finished_at     int8,
  kind            int4 NOT NULL,
  -- How many leases have ended. A running job's lease has the next number.
  epoch           int4 NOT NULL DEFAULT 0,
  worker          int4,
  run_ms          int4,
  state           int2 NOT NULL DEFAULT 0,
  priority        int2 NOT NULL,
  attempt         int2 NOT NULL DEFAULT 0,
  max_attempts    int2 NOT NULL,
  deaths          int2 NOT NULL DEFAULT 0,
  redrives        int2 NOT NULL DEFAULT 0,
  tenant          text NOT NULL DEFAULT '',
  idempotency_key text,
  cancel_reason   text,
  last_error      json,
  payload         json NOT NULL,
  result          json,
  -- The flow that it belongs to, and the job that it was redriven from with another payload.
  flow            uuid,
  origin          uuid,
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX job_tenant ON job (tenant, id) WHERE tenant <> '';
-- Lists of one type or queue walk it from the newest down.
CREATE INDEX job_kind ON job (kind, id);
CREATE TABLE job_other PARTITION OF job DEFAULT WITH (fillfactor = 50);

-- What a claim reads: up to 100 jobs of one kind and rank in a row. `seq` is the enqueuer's transaction id << 20 plus an
-- ordinal, so a worker knows what can still appear below what it has seen. `rank` is priority * 2, plus 1 for jobs in
-- order of arrival; the even ranks are for jobs that were given back. Rows are deleted and inserted, never updated.
CREATE TABLE ready (
  seq  int8 NOT NULL,
  kind int4 NOT NULL,
  rank int2 NOT NULL,
  ids  uuid[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
ALTER TABLE ready ALTER COLUMN ids SET STORAGE EXTERNAL;
CREATE INDEX ready_band ON ready (kind, rank, seq);

-- Every pair of kind and rank that ever had a ready job.
CREATE TABLE band (
  kind int4 NOT NULL,
  rank int2 NOT NULL,
  PRIMARY KEY (kind, rank)
);

CREATE TABLE delayed (
  kind   int4 NOT NULL,
  run_at int8 NOT NULL,
  id     uuid NOT NULL,
  rank   int2 NOT NULL,
  PRIMARY KEY (kind, run_at, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);

-- One row a claimed batch: who holds what. `lid` is the claimer's own number, so a claim whose answer was lost is found.
CREATE TABLE lease (
  lid    int8 PRIMARY KEY,
  worker int4 NOT NULL,
  at     int8 NOT NULL,
  ids    uuid[] NOT NULL,
  epochs int4[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
ALTER TABLE lease ALTER COLUMN ids SET STORAGE EXTERNAL;
ALTER TABLE lease ALTER COLUMN epochs SET STORAGE EXTERNAL;

-- One lease a worker covers all that it holds.
CREATE TABLE worker (
  worker     int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL UNIQUE,
  label      text NOT NULL,
  started_at int8 NOT NULL,
  beat_at    int8 NOT NULL,
  expires_at int8 NOT NULL,
  -- What it claims, as JSON.
  lanes      text,
  -- Its lease has ended and nothing is left to give back.
  cleared    boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
CREATE INDEX worker_uncleared ON worker (worker) WHERE NOT cleared;

-- The order in which jobs finished: up to some hundred of one kind and state in a row.
CREATE SEQUENCE finished_seq;
CREATE TABLE finished (
  kind  int4 NOT NULL,
  state int2 NOT NULL,
  at    int8 NOT NULL,
  seq   int8 NOT NULL DEFAULT nextval('finished_seq'),
  ids   uuid[] NOT NULL
);
ALTER TABLE finished ALTER COLUMN ids SET STORAGE EXTERNAL;
CREATE INDEX finished_at ON finished (at, seq);
CREATE INDEX finished_kind ON finished (kind, state, at, seq);

-- Moves when somebody wants a running job cancelled: for those who hear no wake-ups.
CREATE SEQUENCE cancel_seq;

-- Every ended attempt but a completion, which the job row tells by itself.
CREATE TABLE attempt (
  id         uuid NOT NULL,
  epoch      int4 NOT NULL,
  attempt    int2 NOT NULL,
  worker     int4,
  started_at int8,
  ended_at   int8 NOT NULL,
  outcome    text NOT NULL,
  error      json,
  PRIMARY KEY (id, epoch)
);

CREATE TABLE log (
  id      uuid NOT NULL,
  epoch   int4 NOT NULL,
  line    int4 NOT NULL,
  attempt int2 NOT NULL,
  at      int8 NOT NULL,
  level   text NOT NULL,
  message text NOT NULL,
  data    json,
  PRIMARY KEY (id, epoch, line)
);

CREATE TABLE progress (
  id      uuid PRIMARY KEY,
  percent float8 NOT NULL,
  message text,
  data    json
) WITH (fillfactor = 70);

-- expires_at is set when the job goes; until then the key is as good as the job.
CREATE TABLE idempotency (
  tenant     text NOT NULL,
  key        text NOT NULL,
  id         uuid NOT NULL,
  body_hash  text NOT NULL,
  created_at int8 NOT NULL,
  expires_at int8,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at) WHERE expires_at IS NOT NULL;

-- How many jobs of a kind stand where: what is folded, and since then a row a statement, so that no two wait for each
-- other. `seq` is the transaction id << 20.
CREATE TABLE counter (
  kind      int4 PRIMARY KEY,
  ready     int8 NOT NULL DEFAULT 0,
  delayed   int8 NOT NULL DEFAULT 0,
  blocked   int8 NOT NULL DEFAULT 0,
  running   int8 NOT NULL DEFAULT 0,
  completed int8 NOT NULL DEFAULT 0,
  cancelled int8 NOT NULL DEFAULT 0,
  dead      int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE delta (
  seq       int8 NOT NULL,
  at        int8 NOT NULL,
  kind      int4 NOT NULL,
  ready     int4 NOT NULL DEFAULT 0,
  delayed   int4 NOT NULL DEFAULT 0,
  blocked   int4 NOT NULL DEFAULT 0,
  running   int4 NOT NULL DEFAULT 0,
  completed int4 NOT NULL DEFAULT 0,
  cancelled int4 NOT NULL DEFAULT 0,
  dead      int4 NOT NULL DEFAULT 0,
  failed    int4 NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
CREATE INDEX delta_seq ON delta (seq);

-- What happened in each ten minutes.
CREATE TABLE tally (
  at        int8 NOT NULL,
  kind      int4 NOT NULL,
  completed int8 NOT NULL DEFAULT 0,
  failed    int8 NOT NULL DEFAULT 0,
  dead      int8 NOT NULL DEFAULT 0,
  cancelled int8 NOT NULL DEFAULT 0,
  PRIMARY KEY (at, kind)
) WITH (fillfactor = 50);

CREATE TABLE schedule (
  name            text PRIMARY KEY,
  rule            text NOT NULL,
  misfire         text NOT NULL,
  overlap         text NOT NULL,
  job             text NOT NULL,
  cursor_at       int8,
  next_at         int8 NOT NULL,
  paused          boolean NOT NULL DEFAULT false,
  disabled_reason text,
  last_job        uuid,
  created_at      int8 NOT NULL
);

CREATE TABLE tick (
  schedule     text NOT NULL,
  scheduled_at int8 NOT NULL,
  outcome      text NOT NULL,
  job          uuid,
  recorded_at  int8 NOT NULL,
  PRIMARY KEY (schedule, scheduled_at)
);
