import { greet, queue } from './queue.ts'

/**
 * What Bun, Deno, and every server of web standards takes: a function from Request to Response. On Node, `env` holds Node's
 * request: wrong credentials are counted by the address that they come from.
 */
export async function fetch(request: Request, env?: object): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (request.method === 'POST' && pathname === '/greetings') {
    const { name } = (await request.json()) as { name: string }
    const { id } = await (await queue.millrace()).enqueue(greet, { name })
    return Response.json({ id }, { status: 202 })
  }
  return queue.fetch(request, env)
}

export default { fetch }
