import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'
import { ensureServers } from './servers.ts'

/** What vitest's JSON reporter says of a run, as far as it is read here. */
interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
  }[]
}

// The crash suite stops and kills processes by the clock of their leases: it gets the machine to itself.
const stages = [
  {
    name: 'unit, types, conformance, API, CLI, applications',
    // One more than there may be cores: most of them wait for a server or a site that they test against.
    args: ['--project=!crash', '--project=!package', '--project=!examples', '--maxWorkers=3'],
  },
  { name: 'packages installed outside the repository', args: ['--project=package'] },
  { name: 'examples and deployment', args: ['--project=examples'] },
  { name: 'crash', args: ['--project=crash'] },
]

const total = { passed: 0, failed: 0, skipped: 0 }
const skipped: string[] = []
const failed: string[] = []
const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'))
const extra = process.argv.slice(2)

await ensureServers()

const types = await run({
  name: 'types of sources and tests',
  command: 'tsc',
  args: ['--noEmit', '-p', 'tsconfig.tests.json'],
})
total[types === 0 ? 'passed' : 'failed']++

for (const [index, stage] of stages.entries()) {
  const file = join(folder, `${index}.json`)
  const code = await run({
    name: stage.name,
    command: 'vitest',
    args: [
      'run',
      ...stage.args,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...extra,
    ],
  })
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    // Vitest itself has failed: that it ran nothing must not look like success.
    total.failed++
    continue
  }
  total.passed += report.numPassedTests
  total.failed += report.numFailedTests
  failed.push(...report.testResults.flatMap(failuresOf))
  const pending = report.testResults
    .flatMap(each => each.assertionResults)
    .filter(each => each.status === 'pending' || each.status === 'skipped')
  total.skipped += pending.length + report.numTodoTests
  skipped.push(...pending.map(each => each.fullName))
  if (code !== 0 && report.numFailedTests === 0) total.failed++
}
rmSync(folder, { recursive: true, force: true })

// Said again at the end: of a long run, the end is what is kept and read.
if (failed.length > 0) console.log(`\nfailed:\n${failed.join('\n')}`)
if (skipped.length > 0) console.log(`\nskipped:\n${skipped.map(name => `  ${name}`).join('\n')}`)
const mustRunAll = process.env.REQUIRE_ALL === '1' && total.skipped > 0
if (mustRunAll) console.log('\nREQUIRE_ALL=1: a skipped test counts as a failed run')
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 || mustRunAll ? 1 : 0

/** A line for each failed test of a file, with the beginning of its reason. */
function failuresOf(file: Report['testResults'][number]): string[] {
  const tests = file.assertionResults.filter(each => each.status === 'failed')
  if (tests.length === 0) return file.status === 'failed' ? [`  ${file.name}: ${reason([file.message])}`] : []
  return tests.map(each => `  ${file.name}: ${each.fullName}${reason(each.failureMessages)}`)
}

function reason(messages: readonly string[]): string {
  const lines = messages.join('\n').trim().split('\n').slice(0, 12)
  return lines.map(line => `\n      ${line}`).join('')
}
