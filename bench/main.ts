import { parseArgs } from 'node:util'
import { engines } from './engines/index.ts'
import { describeMachine } from './machine.ts'
import { machineLines, resultTable } from './table.ts'

const usage = `usage: npm run bench -- sqlite|postgres|flow|http [--quick] [--json] [--only FIGURE,FIGURE] [--profile]
${Object.entries(engines)
  .map(([name, { figures }]) => `\nfigures of ${name}:\n${figures.map(line).join('\n')}`)
  .join('\n')}`

const { values, positionals } = readArgs()
const [name = 'sqlite'] = positionals
const engine = engines[name]
if (!engine)
  fail(`there is no engine '${name}' to measure; try: npm run bench -- ${Object.keys(engines).join('|')}`)
const only = values.only?.split(',') ?? null
const unknown = only?.filter(each => !engine.figures.some(figure => figure.name === each)) ?? []
if (unknown.length > 0) fail(`no figure ${unknown.join(', ')}\n\n${usage}`)

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const machine = describeMachine(engine.folder)
say(machineLines(machine))
const { quick } = values
const { results, profile, servers } = await engine.run({ quick, profile: values.profile, only, say })
const json = { machine: { ...machine, servers }, engine: name, quick, figures: results }
console.log(profile ?? (values.json ? JSON.stringify(json, null, 2) : resultTable(results)))
process.exit(0)

function line({ name, about }: { name: string; about: string }): string {
  return `  ${name.padEnd(24)}${about}`
}

function readArgs(): {
  values: { quick: boolean; json: boolean; profile: boolean; only?: string }
  positionals: string[]
} {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        only: { type: 'string' },
      },
    }) as ReturnType<typeof readArgs>
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`)
  }
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
