-- Three roles with the least rights. Run it as the schema's owner (whoever ran `millrace migrate`), with psql:
--
--   psql "$MILLRACE_URL" -v schema=millrace -v worker=app_worker -v enqueuer=app_web -v reader=app_reports -f postgres-roles.sql
--
-- All variables may be left out; the names below are the defaults. A role that does not exist is made, without a login:
-- grant it to those who log in (`GRANT app_web TO alice`). Running it again changes nothing.
--
-- enqueuer: enqueues, by the library and by `enqueue` in SQL; no more. It has no right on the tables of jobs: the functions
--           run as the owner, because who could write those tables could also write what a claim trusts.
-- reader:   sees everything (the view `jobs`, lists, counts, the feed), changes nothing.
-- worker:   claims, settles, cancels, retries, prunes, schedules and enqueues; makes no tables (but the weeks' partitions, by a
--           function that runs as the owner) and runs no migrations.
--
-- A web process that enqueues and awaits results needs the enqueuer and the reader.

\set ON_ERROR_STOP on
\if :{?schema}
\else
  \set schema millrace
\endif
\if :{?worker}
\else
  \set worker millrace_worker
\endif
\if :{?enqueuer}
\else
  \set enqueuer millrace_enqueuer
\endif
\if :{?reader}
\else
  \set reader millrace_reader
\endif

SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY[:'worker', :'enqueuer', :'reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

SELECT quote_ident(pg_get_userbyid(nspowner)) AS owner FROM pg_namespace WHERE nspname = :'schema' \gset

BEGIN;
SET LOCAL search_path = :"schema";

GRANT USAGE ON SCHEMA :"schema" TO :"worker", :"enqueuer", :"reader";

GRANT SELECT ON ALL TABLES IN SCHEMA :"schema" TO :"reader";

-- Which store this is, and the numbers of queues and types, which the library makes ahead of the caller's transaction.
GRANT SELECT ON migration, meta TO :"enqueuer";
GRANT SELECT, INSERT ON kind, band TO :"enqueuer";
GRANT EXECUTE ON FUNCTION enqueue, enqueue_plain, enqueue_each, enqueue_flow TO :"enqueuer", :"worker";

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA :"schema" TO :"worker";
REVOKE INSERT, UPDATE, DELETE ON migration FROM :"worker";
-- `finished_seq`; identity columns need no right.
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA :"schema" TO :"worker";
GRANT EXECUTE ON FUNCTION make_weeks TO :"worker";

-- The feed: everybody may ask whether somebody watches and say that he does; who makes events appends them. Who did what is
-- kept for a web process, too.
GRANT SELECT ON feed_state TO :"enqueuer";
GRANT EXECUTE ON FUNCTION feed_watch TO :"worker", :"enqueuer", :"reader";
GRANT EXECUTE ON FUNCTION feed_append, feed_prune, audit_append TO :"worker", :"enqueuer";

-- What later migrations add.
ALTER DEFAULT PRIVILEGES FOR ROLE :owner IN SCHEMA :"schema" GRANT SELECT ON TABLES TO :"reader";
ALTER DEFAULT PRIVILEGES FOR ROLE :owner IN SCHEMA :"schema" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"worker";
ALTER DEFAULT PRIVILEGES FOR ROLE :owner IN SCHEMA :"schema" GRANT USAGE, SELECT ON SEQUENCES TO :"worker";
COMMIT;
