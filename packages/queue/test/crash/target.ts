/** What the crash suite needs to know of an engine. A new engine is one file that makes one of these. */
export interface CrashTarget {
  engine: string
  /** An empty store of its own for one scenario. */
  createStore(): Promise<CrashStore>
  /** The module (default export: `Effects`) that a child process loads to write inside the engine's transactions. */
  effectsModule: string
}

export interface CrashStore {
  url: string
  /** For ledgers; gone with the store. */
  folder: string
  /** Whether a frozen process holds something that every writer waits for. */
  isBlocked(): Promise<boolean>
  /** Whether a frozen process is in the middle of a transaction, so that nobody can take from it what it works on. */
  hasOpenTransaction(): Promise<boolean>
  /**
   * Begins to write and commit a row of its own again and again; answers, when it is stopped, how long the slow ones
   * took. Left out where a slow store holds up the very processes that use it, which see that by themselves.
   */
  watchCommits?(): Promise<{ stop(): Promise<Span[]> }>
  /** What the engine's own integrity check complains of. */
  complaints(): Promise<string[]>
  remove(): Promise<void>
}

export interface Span {
  from: number
  at: number
}

/** Rows that handlers write by `complete(tx)`, in a table of their own in the same store. No constraint guards them. */
export interface Effects {
  prepare(url: string): Promise<void>
  record(tx: unknown, effect: Effect): void | Promise<void>
  read(url: string): Promise<Effect[]>
}

export interface Effect {
  jobId: string
  epoch: number
}
