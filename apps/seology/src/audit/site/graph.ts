/** The crawl as a graph of followed links: clicks from the home page, and who is linked at all. */

import type { PageEntry, SiteModel } from './model.ts'

export interface Graph {
  /** Fewest clicks from the home page; undefined when no followed path leads there. */
  clicks(key: string): number | undefined
  /** The URLs of one such path, home page first. */
  path(key: string): string[]
  /** Whether some other page has a followed link to it. */
  hasInlink(key: string): boolean
}

/** A redirect on the way is no click of its own: links count for the page they land on. */
export function linkGraph(site: SiteModel): Graph {
  const landings = site.links.targets().map(({ key }) => site.landing(key)?.key)
  const parents = new Map<string, string | null>()
  const depths = new Map<string, number>()
  const linked = new Set<string>()
  for (const page of site.pages()) {
    for (const id of page.followed) {
      const key = landings[id]
      if (key !== undefined && key !== page.key) linked.add(key)
    }
  }
  const home = site.landing(site.homeKey)
  const queue: PageEntry[] = home ? [home] : []
  if (home) {
    parents.set(home.key, null)
    depths.set(home.key, 0)
  }
  // The queue grows while it is read: breadth first.
  for (const page of queue) {
    for (const id of page.followed) {
      const key = landings[id]
      const next = key === undefined || depths.has(key) ? undefined : site.page(key)
      if (!next) continue
      depths.set(next.key, (depths.get(page.key) as number) + 1)
      parents.set(next.key, page.key)
      queue.push(next)
    }
  }
  return {
    clicks: key => depths.get(key),
    path(key) {
      const path: string[] = []
      for (let at: string | null | undefined = key; at; at = parents.get(at))
        path.unshift(site.page(at)?.url ?? at)
      return path
    },
    hasInlink: key => linked.has(key),
  }
}
