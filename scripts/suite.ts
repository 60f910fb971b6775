import { existsSync } from 'node:fs'
import { run } from './run.ts'

/** `npm run conformance -- sqlite [postgres …]`, `npm run crash -- sqlite`: one suite, for the engines named. */
const [suite = '', ...engines] = process.argv.slice(2)
const named = engines.filter(each => !each.startsWith('-'))
const options = engines.filter(each => each.startsWith('-'))
const wanted = named.length > 0 ? named : ['sqlite']
const files = wanted.map(engine => `packages/queue/test/${suite}/${engine}.test.ts`)
const missing = files.filter(file => !existsSync(file))
if (missing.length > 0) {
  console.error(`no ${suite} suite for: ${missing.join(', ')}`)
  process.exitCode = 2
} else {
  process.exitCode = await run({
    name: `${suite}: ${wanted.join(', ')}`,
    command: 'vitest',
    args: ['run', `--project=${suite}`, ...files, ...options],
  })
}
