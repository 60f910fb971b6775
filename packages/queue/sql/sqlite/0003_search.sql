-- What jobs can be found by. A job without attributes has no rows here. Found newest first: ids begin with when they were made.
CREATE TABLE millrace_attribute (
  name  TEXT NOT NULL,
  value TEXT NOT NULL,
  job   BLOB NOT NULL,
  PRIMARY KEY (name, value, job)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX millrace_attribute_job ON millrace_attribute (job, name);
