import { readFileSync } from 'node:fs'

/** How the reader has called this program, for lines that say what to type next: `npm run millrace --` or `npx millrace`. */
export function invocation(env: NodeJS.ProcessEnv = process.env): string {
  return hasScript(env.npm_package_json, 'millrace') ? 'npm run millrace --' : 'npx millrace'
}

function hasScript(manifest: string | undefined, script: string): boolean {
  if (!manifest) return false
  try {
    const { scripts } = JSON.parse(readFileSync(manifest, 'utf8')) as { scripts?: Record<string, string> }
    return scripts?.[script] !== undefined
  } catch {
    return false
  }
}

/** A word for a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
