/** A wake-up. It may be lost, late or false: polling is the truth. */
export type Hint =
  /** Jobs may be ready. */
  | { kind: 'ready'; queue: string | null }
  /** Somebody asked to cancel running jobs. */
  | { kind: 'cancel' }
  /** Jobs may have finished. `ids` is null when another process did it. */
  | { kind: 'settled'; ids: ReadonlySet<string> | null }
  /** Somebody may have begun to watch the feed. */
  | { kind: 'watch' }
  /** The feed may have grown. */
  | { kind: 'feed' }
