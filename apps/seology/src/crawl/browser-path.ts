import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface BrowserBinary {
  path: string
  /** What the process needs in its environment beside ours. */
  env: Record<string, string>
}

/** Finds a Chromium: the given path, `CHROME_PATH`, an installed one, else the one that comes inside npm. */
export async function findBrowser(
  given: string | undefined = process.env['CHROME_PATH'] || undefined,
): Promise<BrowserBinary> {
  if (given !== undefined) {
    if (!(await isExecutable(given))) throw new Error(`no executable browser at ${given} (CHROME_PATH)`)
    return { path: given, env: {} }
  }
  for (const path of installedPaths()) if (await isExecutable(path)) return { path, env: {} }
  return bundledBrowser()
}

function installedPaths(): string[] {
  if (process.platform === 'darwin')
    return ['Google Chrome', 'Chromium'].map(name => `/Applications/${name}.app/Contents/MacOS/${name}`)
  if (process.platform === 'win32')
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap(name => {
      const base = process.env[name]
      return base ? [join(base, 'Google/Chrome/Application/chrome.exe')] : []
    })
  const names = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser', 'chrome']
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '')
  return names.flatMap(name => folders.map(folder => join(folder, name)))
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

let unpacking: Promise<string> | null = null

async function bundledBrowser(): Promise<BrowserBinary> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('no browser found: install Chrome or Chromium, or set CHROME_PATH')
  unpacking ??= unpackBundled().catch((error: unknown) => {
    unpacking = null
    throw error
  })
  const folder = await unpacking
  const path = join(folder, 'chromium')
  return { path, env: { ...(await missingLibraries(path, folder)), ...(await missingFonts(folder)) } }
}

/**
 * The package unpacks itself straight into the temporary folder, where a second process would start the half-written
 * file of a first. So it is made to unpack into a folder of its own, which is renamed into place when it is whole.
 */
async function unpackBundled(): Promise<string> {
  const entry = import.meta.resolve('@sparticuz/chromium')
  const manifest = JSON.parse(await readFile(new URL('../package.json', entry), 'utf8')) as {
    version: string
  }
  const cache = await privateCache()
  const target = join(cache, `chromium-${manifest.version}`)
  if (await isExecutable(join(target, 'chromium'))) return target
  const staging = await mkdtemp(join(cache, 'unpacking-'))
  try {
    const script = `import(${JSON.stringify(entry)}).then(({ default: chromium }) => chromium.executablePath())`
    await run(process.execPath, ['--input-type=module', '-e', script], {
      // Named so, the package unpacks the system libraries that slim machines lack, too.
      env: { ...process.env, TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x', NODE_OPTIONS: '' },
      timeout: 120_000,
    })
    await chmod(join(staging, 'chromium'), 0o755)
    await writeFile(join(staging, 'fonts.conf'), fontConfig(target))
    await rename(staging, target).catch(async (error: unknown) => {
      // Another process was quicker.
      if (!(await isExecutable(join(target, 'chromium')))) throw error
    })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
  return target
}

/** A folder that only we can write to: what lies in it will be executed. */
async function privateCache(): Promise<string> {
  const home = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  for (const parent of [home, tmpdir()]) {
    const folder = join(parent, parent === home ? 'millrace' : `millrace-${process.getuid?.() ?? 0}`)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const { uid, mode } = await stat(folder)
      if (uid === process.getuid?.() && (mode & 0o022) === 0) return folder
    } catch {
      // A read-only home, as on serverless platforms.
    }
  }
  throw new Error('no folder to unpack the bundled browser into: set XDG_CACHE_HOME or CHROME_PATH')
}

async function missingLibraries(path: string, folder: string): Promise<Record<string, string>> {
  try {
    await run(path, ['--version'], { timeout: 20_000 })
    return {}
  } catch {
    // Only then: they were built for another distribution than this one.
    const libraries = join(folder, 'al2023', 'lib')
    const present = process.env['LD_LIBRARY_PATH']
    return { LD_LIBRARY_PATH: present ? `${libraries}:${present}` : libraries }
  }
}

async function missingFonts(folder: string): Promise<Record<string, string>> {
  if (process.env['FONTCONFIG_PATH'] || process.env['FONTCONFIG_FILE']) return {}
  const hasOwn = await access('/etc/fonts/fonts.conf').then(
    () => true,
    () => false,
  )
  return hasOwn ? {} : { FONTCONFIG_FILE: join(folder, 'fonts.conf') }
}

/** The package's own one names folders of a serverless platform. */
function fontConfig(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>
`
}
