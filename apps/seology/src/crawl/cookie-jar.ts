/** Cookies of one redirect chain: name and value by host, no more than a site that loops without them needs. */
export interface CookieJar {
  take(url: string, headers: readonly [string, string][]): void
  header(url: string): string | undefined
  /** True when the last answer taken set or changed a cookie. */
  changed(): boolean
}

export function createCookieJar(): CookieJar {
  const hosts = new Map<string, Map<string, string>>()
  let changed = false
  return {
    take(url, headers) {
      const cookies = hosts.get(new URL(url).hostname) ?? new Map<string, string>()
      hosts.set(new URL(url).hostname, cookies)
      changed = false
      for (const [name, line] of headers) {
        const pair = /^\s*([^=;\s]+)\s*=\s*([^;]*)/.exec(name === 'set-cookie' ? line : '')
        if (!pair || cookies.size >= 50) continue
        const [, key = '', value = ''] = pair
        changed ||= cookies.get(key) !== value.trim()
        cookies.set(key, value.trim())
      }
    },
    header(url) {
      const cookies = [...(hosts.get(new URL(url).hostname) ?? [])]
      return cookies.length === 0 ? undefined : cookies.map(([name, value]) => `${name}=${value}`).join('; ')
    },
    changed: () => changed,
  }
}
