/** From 10 to 90 %: pages, then links, then the audit. Never falls back, also when the frontier grows. */
export interface CrawlProgress {
  page(fetched: number, expected: number, url: string): void
  link(checked: number, expected: number, url: string): void
  audit(): void
}

export function crawlProgress(report: (percent: number, message: string) => void): CrawlProgress {
  let reached = 10
  const tell = (percent: number, message: string) => {
    reached = Math.max(reached, Math.min(90, percent))
    report(Math.round(reached * 10) / 10, message)
  }
  const share = (done: number, expected: number) => Math.min(1, done / Math.max(1, expected))
  return {
    page: (fetched, expected, url) =>
      tell(10 + 70 * share(fetched, expected), `page ${fetched} of ${Math.max(fetched, expected)}: ${url}`),
    link: (checked, expected, url) =>
      tell(80 + 8 * share(checked, expected), `link ${checked} of ${Math.max(checked, expected)}: ${url}`),
    audit: () => tell(90, 'judging the whole site'),
  }
}
