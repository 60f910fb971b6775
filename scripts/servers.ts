import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { run } from './run.ts'

/** What the tests start or call, besides what comes with the npm packages. */
const tools: { name: string; package: string; isThere: () => boolean }[] = [
  { name: 'PostgreSQL', package: 'postgresql', isThere: hasPostgres },
  {
    name: 'PgBouncer',
    package: 'pgbouncer',
    isThere: () => existsSync('/usr/sbin/pgbouncer') || finds('pgbouncer'),
  },
  { name: 'strace', package: 'strace', isThere: () => finds('strace') },
]

const oldestPostgres = 13

/** Installs what is missing where that is possible: on Debian, as root. Elsewhere says what will be skipped. */
export async function ensureServers(): Promise<void> {
  const missing = tools.filter(tool => !tool.isThere())
  if (missing.length === 0) return
  const names = missing.map(tool => tool.name).join(', ')
  if (process.getuid?.() !== 0 || !finds('apt-get')) {
    const packages = missing.map(tool => tool.package).join(' ')
    console.warn(
      `\nMISSING: ${names}. Tests that need it are skipped. On Debian: apt-get install ${packages}`,
    )
    return
  }
  console.log(`\ninstalling what the tests need: ${names}`)
  await install(missing.map(tool => tool.package))
  const still = tools.filter(tool => !tool.isThere()).map(tool => tool.name)
  if (still.length > 0)
    console.warn(`\nMISSING: ${still.join(', ')} could not be installed. Tests that need it are skipped.`)
}

/** The binaries only: no database cluster is made, and no service is started. */
async function install(packages: string[]): Promise<void> {
  const undo = [holdServices()]
  try {
    await aptGet('update')
    if (packages.includes('postgresql')) {
      await aptGet('install', 'postgresql-common')
      undo.push(makeNoCluster())
    }
    await aptGet('install', ...packages)
    // The package has the machine start it at the next boot.
    if (packages.includes('pgbouncer') && existsSync('/run/systemd/system'))
      spawnSync('systemctl', ['disable', '--now', 'pgbouncer'])
  } finally {
    for (const each of undo) each()
  }
}

async function aptGet(what: string, ...packages: string[]): Promise<void> {
  const options = what === 'install' ? ['-y', '--no-install-recommends'] : []
  const args = [what, '-qq', ...options, ...packages]
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await run({ name: `apt-get ${what} ${packages.join(' ')}`, command: 'apt-get', args, env })
}

/** What a package's own scripts would start stays down. Answers the way back. */
function holdServices(): () => void {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return () => {}
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}

function makeNoCluster(): () => void {
  const settings = '/etc/postgresql-common/createcluster.conf'
  if (!existsSync(settings)) return () => {}
  const before = readFileSync(settings, 'utf8')
  writeFileSync(settings, `${before}\ncreate_main_cluster = off\n`)
  return () => writeFileSync(settings, before)
}

function hasPostgres(): boolean {
  const home = '/usr/lib/postgresql'
  return (
    existsSync(home) &&
    readdirSync(home).some(
      major => Number(major) >= oldestPostgres && existsSync(`${home}/${major}/bin/postgres`),
    )
  )
}

function finds(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}
