/** Reasons for which an attempt leaves off before the crawl is over; the next one goes on from what is stored. */

/** The attempt's share of time is used up, or it would only wait. */
export class SliceEnded extends Error {
  /** How long to wait before going on. */
  readonly resumeInMs: number
  constructor(resumeInMs: number, why: string) {
    super(why)
    this.name = 'SliceEnded'
    this.resumeInMs = resumeInMs
  }
}

/** The site does not answer at all. Another attempt may find it up. */
export class SiteUnreachableError extends Error {
  override name = 'SiteUnreachableError'
}

/** A code of the crawler's errors, of this application's and of the queue's; '' for anything else. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return typeof code === 'string' ? code : ''
}
