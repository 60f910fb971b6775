import type { Command } from 'commander'
import { type Output, processOutput } from './output.ts'
import { readSettings, type Settings, type SharedFlags } from './settings.ts'

/** What every command gets: what was asked in the environment and by flags, and where to speak. */
export interface Context<Flags> {
  readonly flags: Flags & SharedFlags
  readonly args: readonly string[]
  readonly settings: Settings
  readonly out: Output
}

/** Answers the exit code; none is success. */
export type Action<Flags> = (context: Context<Flags>) => Promise<number | void>

/** Gives a command the flags that all have, and its work. The work's file imports what is heavy when it runs. */
export function runs<Flags extends object>(command: Command, action: Action<Flags>): Command {
  return command
    .option('--json', 'answer in JSON, one document or one a line')
    .option('--url <url>', 'the store (default: MILLRACE_URL, or file:.millrace/millrace.db)')
    .action(async () => {
      const flags = command.optsWithGlobals<Flags & SharedFlags>()
      const context: Context<Flags> = {
        flags,
        args: command.args,
        settings: readSettings(flags),
        out: processOutput(flags.json === true),
      }
      const exitCode = await action(context)
      if (typeof exitCode === 'number') process.exitCode = exitCode
    })
}

/** For commands that need to know job types or handlers. */
export function withConfig(command: Command): Command {
  return command.option(
    '--config <file>',
    'the configuration (default: millrace.config.ts, .js or .mjs here)',
  )
}
