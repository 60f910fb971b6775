import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const packages = ['packages/queue', 'packages/api', 'packages/cli', 'packages/client', 'apps/seology']
const minutes = 60_000

/** Runs a program in `cwd` and answers what it printed; an error holds all of its output. */
function run(cwd: string, command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe', env: plainEnvironment() })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

/** Without what npm and vitest hand down: the project outside shall see neither this workspace nor its conditions. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_OPTIONS|VITEST|NODE_ENV|INIT_CWD)/.test(name),
  )
  return Object.fromEntries(kept)
}

function readmeExample(): string {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  if (!example) throw new Error('the README has no TypeScript example')
  return example
}

/** Nothing listens at the port. */
const webExample = `
import { createClient, isMillraceProblem } from '@millrace/client'
const client = createClient({ url: 'http://127.0.0.1:9', token: 'a-token', retries: 0 })
try {
  for await (const job of client.each.listJobs({ query: { state: ['dead'] } })) console.log(job.id)
} catch (error) {
  if (isMillraceProblem(error)) console.log(error.code)
}
export {}
`

describe('the packed packages, installed into an empty project', () => {
  let folder: string

  beforeAll(() => {
    run(root, 'tsc', ['-b'])
    folder = mkdtempSync(join(tmpdir(), 'millrace-outside-'))
    const tarballs = packages.map(each => {
      const [packed] = JSON.parse(
        run(join(root, each), 'npm', ['pack', '--json', '--pack-destination', folder]),
      ) as [{ filename: string }]
      return `./${packed.filename}`
    })
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'outside', private: true, type: 'module' }),
    )
    run(folder, 'npm', ['install', '--no-audit', '--no-fund', ...tarballs, 'zod@4', '@types/node@24'])
    writeFileSync(join(folder, 'example.ts'), readmeExample())
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2024',
          module: 'nodenext',
          strict: true,
          skipLibCheck: false,
          types: ['node'],
          outDir: 'out',
        },
        files: ['example.ts'],
      }),
    )
  }, 5 * minutes)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('compiles the README example against the published types', () => {
    run(folder, join(root, 'node_modules/.bin/tsc'), ['-p', '.'])
  })

  it('runs the README example', () => {
    const printed = run(folder, process.execPath, ['out/example.js'])
    expect(printed).toBe('Hello, Ada\n')
  })

  it('refuses to compile a wrong payload', () => {
    const wrong = join(folder, 'wrong')
    mkdirSync(wrong)
    cpSync(join(folder, 'tsconfig.json'), join(wrong, 'tsconfig.json'))
    writeFileSync(join(wrong, 'example.ts'), readmeExample().replace("{ name: 'Ada' }", '{ name: 7 }'))
    expect(() => run(wrong, join(root, 'node_modules/.bin/tsc'), ['-p', '.'])).toThrow(/number.*string/)
  })

  it('runs the installed command', () => {
    const printed = run(folder, 'npx', ['millrace', 'stats', '--json'])
    expect(JSON.parse(printed)).toMatchObject({ total: { completed: 0 } })
  })

  it('compiles the client for a browser, without the types of Node', () => {
    const web = join(folder, 'web')
    mkdirSync(web)
    writeFileSync(join(web, 'page.ts'), webExample)
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022', 'dom'],
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: [],
    }
    writeFileSync(join(web, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['page.ts'] }))
    run(web, join(root, 'node_modules/.bin/tsc'), ['-p', '.'])
    expect(run(web, process.execPath, ['page.js'])).toBe('unreachable\n')
  })
})
