/** How a worker works. Durations in milliseconds. */
export interface WorkerOptions {
  /** How many handlers run at once. Default 10. */
  concurrency?: number
  /** Claims only from these queues. Default: every queue that a handler's definition names. */
  queues?: readonly string[]
  /** What people see in lists. Default: host name and process id. */
  label?: string
  /** Default 30,000. Another worker takes over when a lease ends; it is renewed every third of this. */
  leaseMs?: number
  /** How often expired leases are looked for. Default 5,000. */
  sweepMs?: number
  /** How often to look for jobs when no hint comes. Default 1,000. */
  pollMs?: number
  /** How often to look for cancels when no hint comes. Default 1,000. */
  cancelPollMs?: number
  /** How often to look for schedules that other processes have changed. Default 1,000. */
  schedulePollMs?: number
  /** A job that has killed its worker this often is dead. Default 3. */
  maxDeaths?: number
  /** How long after its signal a handler may go on before it is given up. Default 5,000. */
  graceMs?: number
  /** Enqueue due schedules in this worker. Default true. */
  scheduler?: boolean
  /** Prune finished jobs in this worker. Default true. */
  pruner?: boolean
}

export interface DrainOptions {
  /** Default: no bound. */
  maxJobs?: number
  /**
   * This long after the call no more jobs are started, handlers get their signal, and what does not finish within
   * `graceMs` is given back. Default: no bound.
   */
  budgetMs?: number
}

/** The first seven count attempts that this drain began, by their end. */
export interface DrainResult {
  completed: number
  /** Attempts that failed and will be repeated. */
  retried: number
  dead: number
  snoozed: number
  /** Came to a step that sleeps, or waits for a signal or another job. */
  waiting: number
  cancelled: number
  /** Given back because the budget ran out. */
  released: number
  /** Jobs of dead workers whose lease had ended. */
  rescued: number
  /** Ticks of schedules that were due and are dealt with: fired, skipped or coalesced. */
  ticks: number
  /** Finished jobs that their definition no longer keeps. */
  pruned: number
  /** `empty`: nothing is due. `stopped`: `stop()` was called meanwhile. */
  endedBy: 'empty' | 'max-jobs' | 'budget' | 'stopped'
}

export interface StopOptions {
  /** How long running handlers get before their signal fires and they are given back. Default 25,000. */
  deadlineMs?: number
}
