/** What an attempt ends with when its handler came to a step that has to wait. */
export interface Wait {
  step: {
    /** Unique in its job. */
    name: string
    /** The how-manieth step of the handler it is, from 1. */
    ordinal: number
    /** `sleep`: for time alone. `job`: for the child that is enqueued in the same transaction. */
    kind: 'sleep' | 'signal' | 'job'
    /** The signal's name, for the kind `signal`. */
    signal: string | null
  }
  /** How long at most; null: until it comes. Ignored when `until` is given. */
  inMs: number | null
  /** An instant, in epoch ms. */
  until: number | null
}
