import type { Context } from '../command.ts'
import { exitCodes } from '../errors.ts'
import { withStore } from '../store.ts'

const said = {
  redriven: 'is queued again, its attempts counted afresh',
  'not-finished': 'is not finished; only a finished job can be retried',
  'not-found': 'is not here',
}

export async function retryJobs({ args, settings, out }: Context<object>): Promise<number> {
  const results = await withStore(settings, async millrace => {
    const answers: { id: string; outcome: keyof typeof said }[] = []
    for (const id of args) answers.push({ id, outcome: await millrace.retry(id) })
    return answers
  })
  out.value({ jobs: results })
  for (const { id, outcome } of results) out.line(`${id}  ${said[outcome]}`)
  return results.every(each => each.outcome === 'redriven') ? exitCodes.ok : exitCodes.failed
}
