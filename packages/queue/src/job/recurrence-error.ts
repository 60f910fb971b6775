/**
 * What is at fault: the rule's shape, its cron expression, its time zone, its interval, the instant it was
 * asked about, or `never` when no tick lies ahead.
 */
export type RecurrenceFault = 'rule' | 'expression' | 'time-zone' | 'interval' | 'instant' | 'never'

/**
 * The one error of a recurring rule that cannot be read or computed; whoever catches it disables that
 * schedule alone. The message names the faulty part and how to mend it.
 */
export class RecurrenceError extends RangeError {
  override readonly name = 'RecurrenceError'
  readonly fault: RecurrenceFault

  constructor(fault: RecurrenceFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}
