import { type Browser, chromium } from 'playwright-core'
import { findBrowser } from './browser-path.ts'
import { systemClock } from './clock.ts'

/** One browser with all its processes. */
export interface BrowserProcess {
  browser: Browser
  version: string
  pid: number
  /** Aborts when it has crashed or was closed: what it was asked before may never be answered. */
  gone: AbortSignal
  /** Ends every process of it; safe to repeat. */
  close(): Promise<void>
}

export interface LaunchOptions {
  /** Port on loopback of the proxy that all traffic goes through. */
  proxyPort: number
  executablePath?: string | undefined
  launchTimeoutMs: number
  closeTimeoutMs: number
}

function launchArguments(proxyPort: number): string[] {
  return [
    `--proxy-server=http://127.0.0.1:${proxyPort}`,
    // Loopback goes through the proxy as well, which knows whether it may.
    '--proxy-bypass-list=<-loopback>',
    // The browser resolves nothing by itself.
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
    '--dns-prefetch-disable',
    // UDP does not pass an HTTP proxy, so there must be none.
    '--disable-quic',
    '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-domain-reliability',
    '--no-pings',
    '--no-first-run',
    // Frames of other sites stay in the page's process: one debugging session sees them all, in less memory. There are
    // no cookies or logins that isolation would protect.
    '--disable-site-isolation-trials',
    // A popup would be a second page that nobody watches.
    '--block-new-web-contents',
    '--disable-gpu',
  ]
}

export async function launchBrowserProcess(options: LaunchOptions): Promise<BrowserProcess> {
  const binary = await findBrowser(options.executablePath)
  const launch = (chromiumSandbox: boolean) =>
    chromium.launch({
      executablePath: binary.path,
      args: launchArguments(options.proxyPort),
      env: { ...plainEnvironment(), ...binary.env },
      chromiumSandbox,
      headless: true,
      timeout: options.launchTimeoutMs,
      // The process that runs us decides what its signals mean.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    })
  // Root can have no sandbox; elsewhere the kernel or the container may forbid it.
  const browser =
    process.getuid?.() === 0 ? await launch(false) : await launch(true).catch(() => launch(false))
  const gone = new AbortController()
  browser.once('disconnected', () => gone.abort(new Error('the browser is gone')))
  try {
    const pid = await browserPid(browser)
    let closing: Promise<void> | null = null
    return {
      browser,
      version: browser.version(),
      pid,
      gone: gone.signal,
      close: () => (closing ??= closeForSure(browser, pid, options.closeTimeoutMs)),
    }
  } catch (error) {
    await browser.close().catch(() => undefined)
    throw error
  }
}

/** The browser needs few of our variables, and pages run in it. */
function plainEnvironment(): Record<string, string> {
  const names = [
    'PATH',
    'HOME',
    'LANG',
    'LC_ALL',
    'TZ',
    'TMPDIR',
    'TEMP',
    'TMP',
    'LD_LIBRARY_PATH',
    'FONTCONFIG_PATH',
    'FONTCONFIG_FILE',
    'XDG_RUNTIME_DIR',
    'SYSTEMROOT',
    'LOCALAPPDATA',
  ]
  return Object.fromEntries(
    names.flatMap(name => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

async function browserPid(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const main = processInfo.find(({ type }) => type === 'browser')
  if (main === undefined) throw new Error('the browser does not tell its process')
  return main.id
}

async function closeForSure(browser: Browser, pid: number, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>(resolve => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([browser.close().catch(() => undefined), timeout])
  clearTimeout(timer)
  // Playwright starts the browser as the leader of a process group of its own.
  if (process.platform === 'win32') return
  for (let tries = 0; tries < 50 && killGroup(pid); tries++) await systemClock.sleep(10)
}

/** False when there is nobody left. A killed process needs a moment to end; one that nobody reaps stays listed. */
function killGroup(pid: number): boolean {
  try {
    return process.kill(-pid, 'SIGKILL')
  } catch {
    return false
  }
}
