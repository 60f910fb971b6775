import { run, type Step } from './run.ts'

/** The one gate besides the tests: format, lint (with the rule that imports go down only), types, unused code. */
const steps: Step[] = [
  { name: 'format', command: 'biome', args: ['format', '.'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '.'] },
  { name: 'types', command: 'tsc', args: ['-b'] },
  { name: 'unused files, exports and dependencies', command: 'knip', args: [] },
]

let failed = 0
for (const step of steps) if ((await run(step)) !== 0) failed++
console.log(failed === 0 ? '\ncheck: all good' : `\ncheck: ${failed} of ${steps.length} steps failed`)
process.exitCode = failed === 0 ? 0 : 1
