import { type Handler, QueueError } from 'millrace'

/** How much one drain may do. Durations in milliseconds. */
export interface DrainSettings {
  /**
   * How long a drain works unless the request says otherwise: then no more jobs are started, and handlers get their
   * signal. Default 50,000. The answer follows at most `graceMs` and four seconds later, so let this be some seconds below
   * what the platform grants a request.
   */
  budgetMs?: number
  /** The longest that a request may ask for. Default: `budgetMs`. */
  maxBudgetMs?: number
  /** How many jobs a drain starts unless the request says otherwise. Default 10, at most 10,000. */
  maxJobs?: number
  /** How many handlers run at once. Default 10. */
  concurrency?: number
  /** How long after its signal a handler may go on before it is given up and its job released. Default 3,000. */
  graceMs?: number
}

/** At most this many jobs are started in one drain. */
export const mostJobs = 10_000
const longestBudgetMs = 86_400_000

export type CheckedDrainSettings = Required<DrainSettings>

/**
 * Fills in what is not said. Throws `invalid-argument` for what can't work, and when a handler's job may take longer than
 * the budget and does not say that it goes on where it was.
 */
export function checkDrainSettings(
  settings: DrainSettings,
  handlers: readonly Handler[],
): CheckedDrainSettings {
  const budgetMs = wholeNumber('drain.budgetMs', settings.budgetMs ?? 50_000, 1, longestBudgetMs)
  const checked = {
    budgetMs,
    maxBudgetMs: wholeNumber(
      'drain.maxBudgetMs',
      settings.maxBudgetMs ?? budgetMs,
      budgetMs,
      longestBudgetMs,
    ),
    maxJobs: wholeNumber('drain.maxJobs', settings.maxJobs ?? 10, 1, mostJobs),
    concurrency: wholeNumber('drain.concurrency', settings.concurrency ?? 10, 1, 10_000),
    graceMs: wholeNumber('drain.graceMs', settings.graceMs ?? 3_000, 0, longestBudgetMs),
  }
  checkThatJobsFit(handlers, budgetMs)
  return checked
}

/** A job that is cut short every time starts from its beginning every time, and never ends. */
function checkThatJobsFit(handlers: readonly Handler[], budgetMs: number): void {
  const unfit = handlers
    .map(each => each.job)
    .filter(job => !job.usesSteps && (job.timeoutMs === null || job.timeoutMs > budgetMs))
  if (unfit.length === 0) return
  const named = unfit.map(({ type, timeoutMs }) => `${type} (timeoutMs: ${timeoutMs ?? 'null, no limit'})`)
  throw new QueueError(
    'invalid-argument',
    `these jobs may take longer than the drain's budgetMs of ${budgetMs}, and would start anew in every drain: ${named.join(', ')}. ` +
      'For each: lower its timeoutMs to the budget; or write its handler in steps and define it with usesSteps: true, so that the next drain goes on where this one stopped; or raise budgetMs; or leave it to a worker, and its handler out of here',
    { faults: named.map(message => ({ path: ['drain', 'budgetMs'], message })) },
  )
}

/** Throws `invalid-argument`. */
export function wholeNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new QueueError(
    'invalid-argument',
    `${name} must be a whole number from ${least} to ${most}, not ${value}`,
  )
}
