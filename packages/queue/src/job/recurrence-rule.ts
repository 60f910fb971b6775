/** When a schedule fires: a cron expression in a time zone, or a fixed interval of elapsed time. */
export type RecurrenceRule =
  | { cron: string /** IANA name. */; timeZone?: string | undefined }
  | {
      everyMs: number /** Epoch milliseconds that the multiples count from. */
      anchorAt?: number | undefined
    }
