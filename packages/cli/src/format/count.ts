/** `1,234 jobs`, `1 job` */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en-US')
}
