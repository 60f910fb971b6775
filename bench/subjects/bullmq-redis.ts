import { type BullClasses, loadBull, obliterate, openBull } from './bullmq.ts'
import { sidesOf } from './subject.ts'

async function connect(url: string): Promise<{ classes: BullClasses; connection: object }> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const connection = {
    host: hostname,
    port: Number(port || 6379),
    ...(username ? { username } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    db: Number(pathname.slice(1) || 0),
    maxRetriesPerRequest: null,
  }
  return { classes: await loadBull(), connection }
}

export const sides = {
  ...sidesOf(import.meta.url, openBull(connect, { throughput: 200, latency: 10, default: 10 })),
  clear: async ({ url }: { url: string }) => {
    const { classes, connection } = await connect(url)
    await obliterate(classes, connection)
    return {}
  },
}
