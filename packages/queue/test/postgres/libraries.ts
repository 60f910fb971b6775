import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js'
import { sql as drizzleSql } from 'drizzle-orm'
import knexOf from 'knex'
import { Kysely, PostgresDialect, sql as kyselySql } from 'kysely'
import pg from 'pg'
import postgres from 'postgres'
import type { PostgresTransaction } from '../../src/engines/postgres/foreign-transaction.ts'
import { generatePrisma } from './prisma-client.ts'

export interface Transaction {
  tx: PostgresTransaction
  /** The application's own write. */
  write(note: string): Promise<unknown>
}

/** One library, connected to one database. */
export interface Library {
  /** Commits when `work` resolves, rolls back and throws what it throws. */
  transact(work: (own: Transaction) => Promise<void>): Promise<unknown>
  /** What a caller could mistake for a transaction, and what the refusal must name. */
  mistakes: { what: string; tx: unknown; says: RegExp }[]
  close(): Promise<unknown>
}

const insert = 'INSERT INTO public.notes (note) VALUES ($1)'

async function openPg(url: string): Promise<Library> {
  const pool = new pg.Pool({ connectionString: url })
  return {
    async transact(work) {
      const tx = await pool.connect()
      try {
        await tx.query('BEGIN')
        await work({ tx, write: note => tx.query(insert, [note]) })
        await tx.query('COMMIT')
      } catch (error) {
        await tx.query('ROLLBACK')
        throw error
      } finally {
        tx.release()
      }
    },
    mistakes: [{ what: 'a pool', tx: pool, says: /pool\.connect\(\)/ }],
    close: () => pool.end(),
  }
}

async function openPostgresJs(url: string): Promise<Library> {
  const sql = postgres(url, { max: 3, onnotice: () => {} })
  const reserved = await sql.reserve()
  return {
    transact: work =>
      sql.begin(tx =>
        work({ tx, write: async note => tx`INSERT INTO public.notes (note) VALUES (${note})` }),
      ),
    mistakes: [
      { what: 'the root', tx: sql, says: /sql\.begin/ },
      { what: 'a reserved connection', tx: reserved, says: /sql\.begin/ },
    ],
    async close() {
      reserved.release()
      await sql.end()
    },
  }
}

async function openPrisma(url: string): Promise<Library> {
  const { prisma, remove } = await generatePrisma(url)
  return {
    transact: work =>
      prisma.$transaction(tx => work({ tx, write: note => tx.note.create({ data: { note } }) })),
    mistakes: [{ what: 'the client', tx: prisma, says: /prisma\.\$transaction/ }],
    async close() {
      await prisma.$disconnect()
      remove()
    },
  }
}

async function openDrizzlePg(url: string): Promise<Library> {
  const pool = new pg.Pool({ connectionString: url })
  const db = drizzlePg(pool)
  return {
    transact: work =>
      db.transaction(tx =>
        work({
          tx,
          write: note => tx.execute(drizzleSql`INSERT INTO public.notes (note) VALUES (${note})`),
        }),
      ),
    mistakes: [{ what: 'the database', tx: db, says: /db\.transaction/ }],
    close: () => pool.end(),
  }
}

async function openDrizzlePostgresJs(url: string): Promise<Library> {
  const sql = postgres(url, { max: 3, onnotice: () => {} })
  const db = drizzlePostgresJs(sql)
  return {
    transact: work =>
      db.transaction(tx =>
        work({
          tx,
          write: async note => tx.execute(drizzleSql`INSERT INTO public.notes (note) VALUES (${note})`),
        }),
      ),
    mistakes: [{ what: 'the database', tx: db, says: /db\.transaction/ }],
    close: () => sql.end(),
  }
}

async function openKysely(url: string): Promise<Library> {
  const db = new Kysely<{ notes: { note: string } }>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }),
  })
  const ended = await db.startTransaction().execute()
  await ended.rollback().execute()
  return {
    transact: work =>
      db.transaction().execute(tx =>
        work({
          tx,
          write: note => kyselySql`INSERT INTO public.notes (note) VALUES (${note})`.execute(tx),
        }),
      ),
    mistakes: [
      { what: 'the database', tx: db, says: /db\.transaction\(\)/ },
      { what: 'an ended transaction', tx: ended, says: /has ended/ },
    ],
    close: () => db.destroy(),
  }
}

async function openKnex(url: string): Promise<Library> {
  const knex = knexOf({ client: 'pg', connection: url })
  const ended = await knex.transaction()
  await ended.rollback()
  return {
    transact: work =>
      knex.transaction(tx => work({ tx, write: async note => tx('public.notes').insert({ note }) })),
    mistakes: [
      { what: 'the instance', tx: knex, says: /knex\.transaction/ },
      { what: 'an ended transaction', tx: ended, says: /has ended/ },
    ],
    close: () => knex.destroy(),
  }
}

export const libraries: { name: string; open(url: string): Promise<Library> }[] = [
  { name: 'pg', open: openPg },
  { name: 'postgres', open: openPostgresJs },
  { name: 'Prisma', open: openPrisma },
  { name: 'Drizzle over pg', open: openDrizzlePg },
  { name: 'Drizzle over postgres', open: openDrizzlePostgresJs },
  { name: 'Kysely', open: openKysely },
  { name: 'Knex', open: openKnex },
]
