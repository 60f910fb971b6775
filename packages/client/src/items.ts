import type { Answer } from './answer.ts'
import type { CallOptions } from './options.ts'
import type { Given } from './request.ts'

/** The items of a list, page by page from where the query's cursor says. Each page is a call of its own. */
export async function* itemsOf(
  member: string,
  ask: (call: Given & CallOptions) => Promise<Answer>,
  call: Given & CallOptions = {},
): AsyncGenerator<never, void, void> {
  let { query = {} } = call
  for (;;) {
    const { body } = await ask({ ...call, query })
    const page = body as { cursor: string | null } & Record<string, unknown>
    yield* page[member] as never[]
    if (page.cursor === null) return
    query = { ...query, cursor: page.cursor }
  }
}
