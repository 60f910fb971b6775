-- What people look at: the feed of events, the series by minute, the audit log. Nothing here is read or written by a claim,
-- a settle or an enqueue.

-- One row. Entries of the feed up to `pruned` are gone. It begins with the time, so that a reader of an older store at this
-- place finds out that this is another.
CREATE TABLE millrace_feed_state (
  pruned        INTEGER NOT NULL,
  watched_until INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO millrace_feed_state (pruned) VALUES (unixepoch() * 1000000);

-- One row a batch, as it was appended: entries (last - count, last].
CREATE TABLE millrace_feed (
  last    INTEGER PRIMARY KEY,
  count   INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  batch   BLOB NOT NULL UNIQUE,
  entries TEXT NOT NULL
) STRICT;

-- Totals of one worker in one minute. wN and rN: attempts that waited, and ran, less than 2^N ms and no less than half of
-- it; the last one holds all above.
CREATE TABLE millrace_series (
  minute    INTEGER NOT NULL,
  kind      INTEGER NOT NULL,
  worker    TEXT NOT NULL,
  completed INTEGER NOT NULL DEFAULT 0,
  failed    INTEGER NOT NULL DEFAULT 0,
  dead      INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  waited_ms INTEGER NOT NULL DEFAULT 0,
  ran_ms    INTEGER NOT NULL DEFAULT 0,
  w0 INTEGER NOT NULL DEFAULT 0, w1 INTEGER NOT NULL DEFAULT 0, w2 INTEGER NOT NULL DEFAULT 0, w3 INTEGER NOT NULL DEFAULT 0, w4 INTEGER NOT NULL DEFAULT 0, w5 INTEGER NOT NULL DEFAULT 0,
  w6 INTEGER NOT NULL DEFAULT 0, w7 INTEGER NOT NULL DEFAULT 0, w8 INTEGER NOT NULL DEFAULT 0, w9 INTEGER NOT NULL DEFAULT 0, w10 INTEGER NOT NULL DEFAULT 0, w11 INTEGER NOT NULL DEFAULT 0,
  w12 INTEGER NOT NULL DEFAULT 0, w13 INTEGER NOT NULL DEFAULT 0, w14 INTEGER NOT NULL DEFAULT 0, w15 INTEGER NOT NULL DEFAULT 0, w16 INTEGER NOT NULL DEFAULT 0, w17 INTEGER NOT NULL DEFAULT 0,
  w18 INTEGER NOT NULL DEFAULT 0, w19 INTEGER NOT NULL DEFAULT 0, w20 INTEGER NOT NULL DEFAULT 0, w21 INTEGER NOT NULL DEFAULT 0, w22 INTEGER NOT NULL DEFAULT 0, w23 INTEGER NOT NULL DEFAULT 0,
  r0 INTEGER NOT NULL DEFAULT 0, r1 INTEGER NOT NULL DEFAULT 0, r2 INTEGER NOT NULL DEFAULT 0, r3 INTEGER NOT NULL DEFAULT 0, r4 INTEGER NOT NULL DEFAULT 0, r5 INTEGER NOT NULL DEFAULT 0,
  r6 INTEGER NOT NULL DEFAULT 0, r7 INTEGER NOT NULL DEFAULT 0, r8 INTEGER NOT NULL DEFAULT 0, r9 INTEGER NOT NULL DEFAULT 0, r10 INTEGER NOT NULL DEFAULT 0, r11 INTEGER NOT NULL DEFAULT 0,
  r12 INTEGER NOT NULL DEFAULT 0, r13 INTEGER NOT NULL DEFAULT 0, r14 INTEGER NOT NULL DEFAULT 0, r15 INTEGER NOT NULL DEFAULT 0, r16 INTEGER NOT NULL DEFAULT 0, r17 INTEGER NOT NULL DEFAULT 0,
  r18 INTEGER NOT NULL DEFAULT 0, r19 INTEGER NOT NULL DEFAULT 0, r20 INTEGER NOT NULL DEFAULT 0, r21 INTEGER NOT NULL DEFAULT 0, r22 INTEGER NOT NULL DEFAULT 0, r23 INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (minute, kind, worker)
) STRICT, WITHOUT ROWID;

CREATE TABLE millrace_audit (
  n         INTEGER PRIMARY KEY AUTOINCREMENT,
  id        BLOB NOT NULL UNIQUE,
  at        INTEGER NOT NULL,
  principal TEXT NOT NULL,
  role      TEXT NOT NULL,
  action    TEXT NOT NULL,
  target    TEXT NOT NULL,
  before    TEXT,
  after     TEXT,
  request   TEXT
) STRICT;
CREATE INDEX millrace_audit_at ON millrace_audit (at, n);
CREATE INDEX millrace_audit_principal ON millrace_audit (principal, at, n);
CREATE INDEX millrace_audit_action ON millrace_audit (action, at, n);
CREATE INDEX millrace_audit_target ON millrace_audit (target, at, n);
