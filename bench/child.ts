import type { SideInput, Sides } from './harness.ts'

/** Runs one side of a figure: `child.ts MODULE SIDE INPUT`. Prints the numbers it found as the last line. */
const [module = '', name = '', input = '{}'] = process.argv.slice(2)
const { sides } = (await import(module)) as { sides: Sides }
const side = sides[name]
if (!side) throw new Error(`${module} has no side ${name}`)
console.log(JSON.stringify(await side(JSON.parse(input) as SideInput)))
process.exit(0)
