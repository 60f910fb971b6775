import type { Context } from 'hono'

/** What the Node listener puts beside a request. */
interface NodeBindings {
  incoming?: { socket?: { remoteAddress?: string | undefined } }
}

/** Where a request comes from: the socket's other end, or what the proxies of one's own say. Null where nobody knows. */
export function addressOf(c: Context, trustedProxies: number): string | null {
  const socket = (c.env as NodeBindings | undefined)?.incoming?.socket
  if (trustedProxies > 0) {
    const hops = (c.req.header('x-forwarded-for') ?? '').split(',').map(each => each.trim())
    // Whatever stands further left was written by the client itself.
    const said = hops.at(-trustedProxies)
    if (said && /^[\w.:[\]%-]{2,64}$/.test(said)) return withoutPort(said)
  }
  return socket?.remoteAddress ?? null
}

/** Some proxies add the port, which is another one with each connection and would make another address of it. */
function withoutPort(hop: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
}

/** The origin under which a browser sees this server. */
export function originOf(
  c: Context,
  { publicUrl, trustedProxies = 0 }: { publicUrl?: string; trustedProxies?: number },
): string {
  if (publicUrl !== undefined) return new URL(publicUrl).origin
  const url = new URL(c.req.url)
  const said = trustedProxies > 0 ? c.req.header('x-forwarded-proto')?.split(',').at(-1)?.trim() : undefined
  return `${said === 'https' ? 'https:' : url.protocol}//${url.host}`
}
