import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { figures } from './figures/index.ts'
import { Bench, type Result } from './harness.ts'
import { describeMachine } from './machine.ts'
import { profile } from './profile.ts'
import { findRedis } from './redis.ts'
import { machineLines, resultTable } from './table.ts'

const usage = `usage: npm run bench -- sqlite [--quick] [--json] [--only FIGURE,FIGURE] [--profile]

figures:
${figures.map(({ name, about }) => `  ${name.padEnd(22)}${about}`).join('\n')}`

const root = fileURLToPath(new URL('../.millrace/bench', import.meta.url))
const { values, positionals } = readArgs()
const [engine = 'sqlite'] = positionals
if (engine !== 'sqlite') fail(`there is no engine '${engine}' to measure; try: npm run bench -- sqlite`)
const only = values.only?.split(',')
const unknown = only?.filter(name => !figures.some(figure => figure.name === name)) ?? []
if (unknown.length > 0) fail(`no figure ${unknown.join(', ')}\n\n${usage}`)

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const machine = describeMachine(root)
say(machineLines(machine))
const { redis, stop } = await findRedis(root)
if (redis.url === null) say(redis.reason)
const bench = new Bench({ quick: values.quick, redis, root, say })
try {
  if (values.profile) console.log(await profile(bench))
  else {
    const results: Result[] = []
    for (const figure of figures) {
      if (only && !only.includes(figure.name)) continue
      say(`${figure.name}: ${figure.about}`)
      results.push(...(await figure.measure(bench)))
    }
    console.log(
      values.json ? JSON.stringify({ machine, engine, figures: results }, null, 2) : resultTable(results),
    )
  }
} finally {
  stop()
  rmSync(root, { recursive: true, force: true })
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
