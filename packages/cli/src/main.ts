import { Command, CommanderError } from 'commander'
import { bulkCommand } from './commands/bulk.ts'
import { deadCommand } from './commands/dead.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { drainCommand } from './commands/drain.ts'
import { enqueueCommand } from './commands/enqueue.ts'
import { flowsCommand } from './commands/flows.ts'
import { jobsCommand } from './commands/jobs.ts'
import { migrateCommand } from './commands/migrate.ts'
import { replayCommand } from './commands/replay.ts'
import { schedulesCommand } from './commands/schedules.ts'
import { signalCommand } from './commands/signal.ts'
import { startCommand } from './commands/start.ts'
import { statsCommand } from './commands/stats.ts'
import { whyCommand } from './commands/why.ts'
import { workerCommand } from './commands/worker.ts'
import { exitCodes, readError, UsageError } from './errors.ts'
import { processOutput } from './output.ts'
import { exitNow } from './shutdown.ts'
import { version } from './version.ts'

/** Runs one command line. Sets the exit code: 0 done, 1 refused or failed, 2 not understood. */
export async function main(argv: string[]): Promise<void> {
  const json = argv.includes('--json')
  process.stdout.on('error', endWithReader)
  try {
    await program(json).parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = reportUsage(error, json)
    else process.exitCode = report(error, json)
  }
  exitNow()
}

function program(json: boolean): Command {
  const root = new Command('millrace')
    .description('Durable background jobs: serve, work, enqueue, inspect.')
    .version(version, '-V, --version')
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureHelp({ subcommandTerm: command => command.name() })
    .exitOverride()
    .configureOutput({
      writeErr: text => void (json || process.stderr.write(text.replace(/^error: /, 'millrace: '))),
    })
    .addHelpText(
      'after',
      `
Environment:
  MILLRACE_URL   the store: file:… or postgres://… (file:.millrace/millrace.db)
  PORT, HOST     where start listens (3000, 127.0.0.1)
  ADMIN_TOKEN    the API's token (made at first start, kept in .millrace/admin-token)
  MILLRACE_DRAIN_BUDGET
                 how long start lets a cron's request drain, such as 10m (not at all)`,
    )
  startCommand(root)
  workerCommand(root)
  enqueueCommand(root)
  jobsCommand(root)
  whyCommand(root)
  deadCommand(root)
  replayCommand(root)
  bulkCommand(root)
  flowsCommand(root)
  signalCommand(root)
  schedulesCommand(root)
  statsCommand(root)
  drainCommand(root)
  migrateCommand(root)
  doctorCommand(root)
  demoCommand(root)
  return root
}

/** Commander has written what there is to say, unless it should be JSON. */
function reportUsage(error: CommanderError, json: boolean): number {
  if (error.exitCode === 0) return exitCodes.ok
  if (json)
    processOutput(true).error(readError(new UsageError(error.message.replace(/^error: /, ''))), undefined)
  return exitCodes.usage
}

function report(error: unknown, json: boolean): number {
  const told = readError(error)
  const stack = error instanceof Error ? error.stack : undefined
  processOutput(json).error(told, stack)
  if (!told.unexpected && process.env.MILLRACE_DEBUG && stack) process.stderr.write(`${stack}\n`)
  return told.exitCode
}

/** `millrace jobs | head -3` is no fault. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}
