import pg from 'pg'
import { onTestFinished } from 'vitest'
import { startPgBouncer } from '../support/pgbouncer.ts'
import type { PostgresVersion } from '../support/postgres-binaries.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import type { CallerDatabase, CallerTransaction } from './stage.ts'

/** One way of running the engine on PostgreSQL. */
export interface PostgresMode {
  name: string
  /** What the engine's URL says. */
  params: Record<string, string>
  /** The engine and the application go through a pooler. */
  behindPgBouncer?: boolean
  /** How the database compares text, where it is not by code point. */
  icuLocale?: string
}

const storeName = 'store'
const elsewhereName = 'elsewhere'

/** A server with one database that is migrated once and emptied for each test, and the application's table in it. */
export class PostgresStore {
  readonly server: PostgresServer
  /** What the engine is opened with. */
  readonly url: string
  readonly schema: string
  /** A connection that sees all. */
  readonly admin: pg.Client
  readonly #callerUrl: (database: string) => string
  readonly #stop: () => Promise<void>

  private constructor(parts: {
    server: PostgresServer
    mode: PostgresMode
    admin: pg.Client
    urlOf: PostgresServer['url']
    stop: () => Promise<void>
  }) {
    this.server = parts.server
    this.schema = parts.mode.params['schema'] ?? 'millrace'
    this.url = parts.urlOf(storeName, parts.mode.params)
    this.admin = parts.admin
    this.#callerUrl = parts.urlOf
    this.#stop = parts.stop
  }

  static async start(version: PostgresVersion, mode: PostgresMode): Promise<PostgresStore> {
    const server = await startPostgres({ version })
    const pooler = mode.behindPgBouncer ? await startPgBouncer(server) : null
    await createDatabase(server, storeName, mode.icuLocale)
    await server.createDatabase(elsewhereName)
    for (const name of [elsewhereName, storeName]) await query(server.url(name), notesTable)
    const admin = new pg.Client({ connectionString: server.url(storeName) })
    admin.on('error', () => {})
    await admin.connect()
    await admin.query(pristine)
    const stop = async (): Promise<void> => {
      await admin.end()
      await pooler?.stop()
      await server.stop('immediate')
    }
    return new PostgresStore({
      server,
      mode,
      admin,
      urlOf: (database, params) => (pooler ?? server).url(database, params),
      stop,
    })
  }

  stop(): Promise<void> {
    return this.#stop()
  }

  /** Takes the tables for what they look like when nothing has been done yet. */
  async remember(): Promise<void> {
    await this.admin.query('SELECT pristine.remember($1)', [this.schema])
  }

  /** Brings every table that a test has filled back to that. */
  async empty(): Promise<void> {
    await this.admin.query('SELECT pristine.restore()')
  }

  caller(): CallerDatabase {
    return {
      begin: async () => begin(await this.#connect(storeName)),
      beginElsewhere: async () => begin(await this.#connect(elsewhereName)),
      idle: () => this.#connect(storeName),
      write: async (tx, note) => {
        await (tx as pg.ClientBase).query('INSERT INTO public.notes (note) VALUES ($1)', [note])
      },
      notes: async () => {
        const { rows } = await this.admin.query<{ note: string }>('SELECT note FROM public.notes ORDER BY id')
        return rows.map(row => row.note)
      },
    }
  }

  async #connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#callerUrl(database) })
    client.on('error', () => {})
    await client.connect()
    onTestFinished(() => client.end())
    return client
  }
}

const notesTable =
  'CREATE TABLE public.notes (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL)'

/**
 * `remember` keeps the rows that the tables of a schema are born with, and makes `restore`, which brings all tables back to
 * them. It deletes, because there is little to delete: a TRUNCATE makes new files for each table and each of its indexes.
 */
const pristine = `
CREATE SCHEMA pristine;
CREATE FUNCTION pristine.remember(p_schema text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_table record;
  v_born boolean;
  v_body text := 'DELETE FROM public.notes;';
BEGIN
  FOR v_table IN
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p_schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', p_schema, v_table.name) INTO v_born;
    IF v_born THEN
      EXECUTE format('CREATE TABLE pristine.%2$I AS TABLE %1$I.%2$I', p_schema, v_table.name);
      v_body := v_body || format('
        IF EXISTS ((SELECT a::text FROM %1$I.%2$I a EXCEPT ALL SELECT b::text FROM pristine.%2$I b)
            UNION ALL (SELECT b::text FROM pristine.%2$I b EXCEPT ALL SELECT a::text FROM %1$I.%2$I a)) THEN
          DELETE FROM %1$I.%2$I;
          INSERT INTO %1$I.%2$I OVERRIDING SYSTEM VALUE SELECT * FROM pristine.%2$I;
        END IF;', p_schema, v_table.name);
    ELSE
      v_body := v_body || format(' DELETE FROM %I.%I;', p_schema, v_table.name);
    END IF;
  END LOOP;
  EXECUTE format('CREATE FUNCTION pristine.restore() RETURNS void LANGUAGE plpgsql SET lock_timeout = ''5s'' AS %L', 'BEGIN
    -- A test before has failed and left a transaction open: its neighbours shall not fail for that.
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = ''client backend''
      AND xact_start IS NOT NULL;
    ' || v_body || ' END');
END $$;
`

async function begin(client: pg.Client): Promise<CallerTransaction> {
  await client.query('BEGIN')
  return {
    tx: client,
    commit: async () => void (await client.query('COMMIT')),
    rollback: async () => void (await client.query('ROLLBACK')),
  }
}

async function createDatabase(server: PostgresServer, name: string, icuLocale?: string): Promise<void> {
  if (icuLocale === undefined || server.version < 15) return server.createDatabase(name)
  const compares = `LOCALE_PROVIDER icu ICU_LOCALE ${pg.escapeLiteral(icuLocale)}`
  await query(server.url(), `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0 ${compares}`)
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}
