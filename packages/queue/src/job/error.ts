/** An attempt's error as it is stored: plain text, bounded, the same on every engine. */
export interface JobError {
  name: string
  message: string
  stack: string | null
  /** The same fault has the same fingerprint, whatever ids and numbers its message holds. */
  fingerprint: string
}
