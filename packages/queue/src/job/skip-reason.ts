/** Why a job is skipped: the job that it is for, by its name in the flow. Passed on as it is to what depends on that. */
export function skipReason(name: string, end: 'died' | 'was cancelled'): string {
  return `skipped: ${JSON.stringify(name)} ${end}`
}
