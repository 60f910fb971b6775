import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const pages = [
  'http',
  'flows',
  'steps-and-signals',
  'redrive-and-replay',
  'search',
  'outbox',
  'serverless',
  'client',
]
const condition = 'millrace-source'

/** The TypeScript on a page is one program; what the `text` blocks after it hold is what it prints. */
function read(page: string): { program: string; prints: string } {
  const text = readFileSync(join(root, 'docs', `${page}.md`), 'utf8')
  const blocks = (language: string): string[] =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
      match => match[1] ?? '',
    )
  return { program: blocks('ts').join('\n'), prints: blocks('text').join('') }
}

function run(cwd: string, args: string[]): string {
  try {
    return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', stdio: 'pipe', timeout: 60_000 })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${args.join(' ')} failed:\n${stdout}\n${stderr}`)
  }
}

describe('the examples in the documentation', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    for (const page of pages) writeFileSync(join(folder, `${page}.ts`), read(page).program)
    const compilerOptions = {
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      module: 'nodenext',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      customConditions: [condition],
      allowImportingTsExtensions: true,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('compile', () => {
    run(folder, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'])
  })

  it.each(pages)('on the page about %s print what it says', page => {
    expect(run(folder, [`--conditions=${condition}`, `${page}.ts`])).toBe(read(page).prints)
  })
})
