import { deadGroupDocument } from '@millrace/api/documents'
import type { Command } from 'commander'
import type { DeadGroup } from 'millrace'
import { type Context, runs } from '../command.ts'
import { UsageError } from '../errors.ts'
import { split } from '../filter.ts'
import { formatCount, formatNumber } from '../format/count.ts'
import { formatTable } from '../format/table.ts'
import { formatAgo } from '../format/time.ts'
import { invocation } from '../invocation.ts'
import { readWholeNumber, shownUrl } from '../settings.ts'
import { withStore } from '../store.ts'
import { redriveDead } from './dead-redrive.ts'

interface GroupFlags {
  type?: string[]
  queue?: string[]
  limit?: string
}

export function deadCommand(root: Command): void {
  const dead = root
    .command('dead')
    .description('group dead jobs by what they died of, and redrive them')
    .helpCommand(false)
  const list = dead
    .command('list', { isDefault: true })
    .description('the largest groups first')
    .allowExcessArguments()
    .option('--type <type...>', 'of these types')
    .option('--queue <queue...>', 'of these queues')
    .option('--limit <number>', 'how many groups (default: 20)')
  runs<GroupFlags>(list, listGroups)
  const redrive = dead
    .command('redrive')
    .description('run those of one cause again: a few first, then ever more')
    .argument('<fingerprint>', 'as the list shows it')
    .option('--type <type>', 'only of this type')
    .option('--queue <queue>', 'only of this queue')
    .option('--canary <number>', 'how many go first (default: 5)')
    .option('--factor <number>', 'how many times larger each further batch is (default: 4)')
    .option('--max-failures <number>', 'how many may die again before it stops (default: 0)')
    .option('--dry-run', 'only say what it would do')
  runs(redrive, redriveDead)
}

async function listGroups({ args, flags, settings, out }: Context<GroupFlags>): Promise<void> {
  if (args.length > 0) throw new UsageError(`dead has no command '${args[0]}'; it has list and redrive`)
  const limit = readWholeNumber('--limit', flags.limit, 1, 1_000) ?? 20
  const { groups, looked, complete } = await withStore(settings, millrace =>
    millrace.deadLetters.groups({
      limit,
      ...(flags.type ? { types: split(flags.type) } : {}),
      ...(flags.queue ? { queues: split(flags.queue) } : {}),
    }),
  )
  out.value({ groups: groups.map(deadGroupDocument), looked, complete })
  if (out.json) return
  const where = flags.type || flags.queue ? ' like that' : ''
  if (groups.length === 0) return out.line(`No dead jobs${where} in ${shownUrl(settings.url)}.`)
  const now = Date.now()
  const lines = formatTable<DeadGroup>(
    [
      { title: 'FINGERPRINT', value: group => group.fingerprint },
      { title: 'JOBS', value: group => formatNumber(group.count), align: 'right' },
      { title: 'TYPE', value: group => group.type, least: 8 },
      { title: 'LAST', value: group => formatAgo(group.lastAt, now), drop: 1 },
      { title: 'FIRST', value: group => formatAgo(group.firstAt, now), drop: 2 },
      {
        title: 'ERROR',
        value: ({ error }) => `${error.name}: ${error.message}`,
        least: 28,
        style: text => out.style('red', text),
      },
    ],
    groups,
    { columns: out.columns, title: text => out.style('dim', text) },
  )
  for (const line of lines) out.line(line)
  out.line()
  if (!complete)
    out.line(out.style('dim', `Of the newest ${formatCount(looked, 'dead job')}; there are older ones.`))
  const first = groups[0] as DeadGroup
  out.line(out.style('dim', `Again: ${invocation()} dead redrive ${first.fingerprint} --dry-run`))
}
