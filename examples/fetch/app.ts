import { greet, queue } from './queue.ts'

/** What Bun, Deno, and every server of web standards takes: a function from Request to Response. */
export async function fetch(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (request.method === 'POST' && pathname === '/greetings') {
    const { name } = (await request.json()) as { name: string }
    const { id } = await (await queue.millrace()).enqueue(greet, { name })
    return Response.json({ id }, { status: 202 })
  }
  return queue.fetch(request)
}

export default { fetch }
