import { readdirSync } from 'node:fs'
import { run } from './run.ts'
import { ensureServers } from './servers.ts'

/** `npm run conformance -- sqlite [postgres …]`, `npm run crash -- sqlite`: one suite, for the engines named. */
const [suite = '', ...engines] = process.argv.slice(2)
const named = engines.filter(each => !each.startsWith('-'))
const options = engines.filter(each => each.startsWith('-'))
const wanted = named.length > 0 ? named : ['sqlite']
const folder = `packages/queue/test/${suite}`
const missing = wanted.filter(engine => filesOf(engine).length === 0)
if (missing.length > 0) {
  console.error(`no ${suite} suite for: ${missing.join(', ')}`)
  process.exitCode = 2
} else {
  if (wanted.includes('postgres')) await ensureServers()
  process.exitCode = await run({
    name: `${suite}: ${wanted.join(', ')}`,
    command: 'vitest',
    args: ['run', `--project=${suite}`, ...wanted.flatMap(filesOf), ...options],
  })
}

/** An engine's modes have a file each: `postgres.test.ts`, `postgres-pgbouncer.test.ts` … */
function filesOf(engine: string): string[] {
  return readdirSync(folder)
    .filter(
      file => file === `${engine}.test.ts` || (file.startsWith(`${engine}-`) && file.endsWith('.test.ts')),
    )
    .map(file => `${folder}/${file}`)
}
