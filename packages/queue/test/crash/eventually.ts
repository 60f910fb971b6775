import { setTimeout as wait } from 'node:timers/promises'

/** Looks until `look` answers something; other processes can't be awaited otherwise. Fails after `limitMs`. */
export async function eventually<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  const started = performance.now()
  for (;;) {
    const found = await look()
    if (found !== null && found !== undefined && found !== false) return found
    if (performance.now() - started > limitMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`)
    await wait(20)
  }
}
