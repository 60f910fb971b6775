import type { PendingMigration } from 'millrace'
import type { Hono } from 'hono'
import type { AnyJob, Handler, Millrace } from 'millrace'

/** What a module gets to work with when it opens. */
export interface ModuleContext {
  /** The store's URL, as given to `openEngine`. A module's own tables live in the same store. */
  url: string
  millrace: Millrace
}

/** One application as a value: its jobs, what does them, its tables and its routes. A server mounts any number. */
export interface Module {
  /** Also its route prefix: `seology` answers under `/seology`. Lower-case letters, digits and `-`. */
  readonly name: string
  readonly jobs: readonly AnyJob[]
  readonly handlers: readonly Handler[]
  /** Own tables, recovery, schedules. Called once, before any job is claimed; other processes may do the same now. */
  open?(context: ModuleContext): Promise<void>
  /** For `millrace migrate`. A module whose `open` makes tables has them. */
  readonly migrations?: ModuleMigrations
  /** Mounted at `/<name>`, behind the admin token. Called after `open`. */
  routes?(): Hono
  /** Called after the worker has stopped and before the store closes. */
  close?(): Promise<void>
  /** A job that a newcomer could try first; the terminal suggests it. */
  readonly example?: ModuleExample
  readonly demo?: ModuleDemo
}

/** A module's tables, without opening the module. */
export interface ModuleMigrations {
  /**
   * What the tables in the store behind the URL lack, oldest first. Changes nothing. Throws `version-mismatch` when a
   * newer release has made them.
   */
  pending(url: string): Promise<PendingMigration[]>
  /** Brings them up to date, once, however many processes ask. */
  apply(url: string): Promise<void>
}

export interface ModuleExample {
  type: string
  payload: unknown
}

/** Something to watch without any set-up, for `millrace demo`. */
export interface ModuleDemo {
  /** What is about to be shown, in one sentence. */
  readonly title: string
  /** Set in the demo's own process before it starts, and named in its output. */
  readonly environment?: Readonly<Record<string, string>>
  /** Starts what the job works on, such as a sample site on loopback. */
  prepare(): Promise<PreparedDemo>
}

export interface PreparedDemo extends ModuleExample {
  /** What the job works on, in one sentence. */
  setting: string
  /** What the result says, for a person. */
  summarize(result: unknown): DemoSummary
  close(): Promise<void>
}

export interface DemoSummary {
  /** One sentence. */
  headline: string
  tables: DemoTable[]
  /** Paths of the server at which more is to be seen: `/seology/api/sites/demo/pages`. */
  paths: string[]
}

export interface DemoTable {
  columns: string[]
  rows: (string | number)[][]
}
