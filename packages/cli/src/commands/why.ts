import { whyDocument } from '@millrace/api/documents'
import type { Command } from 'commander'
import type { Job, Why } from 'millrace'
import { type Context, runs } from '../command.ts'
import { clean, wrap } from '../format/width.ts'
import { invocation, quoted } from '../invocation.ts'
import { stateStyle } from '../state-style.ts'
import { withStore } from '../store.ts'

export function whyCommand(root: Command): void {
  runs(root.command('why').description('say why a job is not running').argument('<id>'), showWhy)
}

async function showWhy({ args, settings, out }: Context<object>): Promise<void> {
  const id = args[0] as string
  const { why, job } = await withStore(settings, async millrace => ({
    why: await millrace.why(id),
    job: await millrace.get(id),
  }))
  out.value(whyDocument(why))
  if (out.json) return
  const shown = job?.shown ?? why.state
  const title = job ? `${out.style('bold', clean(job.type))}  ` : ''
  out.line(`${title}${out.style(stateStyle(shown), shown)}  ${out.style('dim', why.id)}`)
  out.line()
  for (const line of wrap(clean(why.sentence), out.columns - 2)) out.line(`  ${line}`)
  const advice = adviceOn(why, job)
  if (advice !== null) out.line(out.style('dim', `  → ${advice}`))
}

/** What to type next. */
function adviceOn(why: Why, job: Job | null): string | null {
  const { id } = why
  switch (why.cause) {
    case 'finished':
      if (why.details.state === 'completed') return null
      return `${invocation()} jobs ${why.details.state === 'dead' ? 'show' : 'retry'} ${id}`
    case 'no-worker':
      return `${invocation()} worker`
    case 'blocked':
      return job?.flow ? `${invocation()} flows show ${job.flow}` : null
    case 'waiting-signal':
      return `${invocation()} signal ${id} ${quoted(why.details.signal)} '{}'`
    case 'waiting-job':
      return why.details.child === null ? null : `${invocation()} why ${why.details.child}`
    default:
      return null
  }
}
