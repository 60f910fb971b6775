import type { Command } from 'commander'
import { type Context, runs } from '../command.ts'
import { clean } from '../format/width.ts'
import { readJsonArgument } from '../payload.ts'
import { withStore } from '../store.ts'

export function signalCommand(root: Command): void {
  const command = root
    .command('signal')
    .description('send a job the signal that it waits for, or will')
    .argument('<id>', 'the job')
    .argument('<name>', 'the signal')
    .argument('[json]', 'what it carries; - reads it from standard input (default: null)')
  runs(command, send)
}

async function send({ args, settings, out }: Context<object>): Promise<void> {
  const [id, name, json] = args as [string, string, string?]
  const payload = json === undefined ? null : await readJsonArgument('what the signal carries', json)
  await withStore(settings, millrace => millrace.signal(id, name, payload))
  out.value({ id, signal: name, outcome: 'delivered' })
  out.line(`${id}  has the signal ${clean(name)}`)
}
