import { createRequire } from 'node:module'
import { join } from 'node:path'

/** What is installed with the examples, for tests alone. */
export const inExamples = createRequire(join(import.meta.dirname, '../../examples/package.json'))

const yaml = inExamples('yaml') as { parse(text: string, options?: { merge?: boolean }): unknown }
export const { parse } = yaml
