import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { openEngine } from 'millrace'
import { examine, type Finding } from 'millrace/postgres'
import { type Context, runs } from '../command.ts'
import { exitCodes } from '../errors.ts'
import { clean, displayWidth, wrap } from '../format/width.ts'
import type { Output, Style } from '../output.ts'
import { type Settings, shownUrl } from '../settings.ts'
import { version } from '../version.ts'

export function doctorCommand(root: Command): void {
  runs(
    root.command('doctor').description('look for what makes the store slow or unsafe, with advice'),
    doctor,
  )
}

async function doctor({ settings, out }: Context<object>): Promise<number> {
  const postgres = /^postgres(ql)?:/i.test(settings.url)
  const findings = postgres ? await examine(settings.url) : await examineFile(settings)
  out.value({ store: shownUrl(settings.url), findings })
  out.line(shownUrl(settings.url))
  const width = Math.max(...findings.map(each => displayWidth(each.check)))
  for (const finding of findings) for (const line of lines(out, finding, width)) out.line(line)
  return findings.some(each => each.status === 'bad') ? exitCodes.failed : exitCodes.ok
}

/** A file on this machine leaves less to go wrong. */
async function examineFile({ url }: Settings): Promise<Finding[]> {
  const engine = openEngine(url)
  const path = pathOf(url)
  if (path !== null && !existsSync(path))
    return [
      finding('warn', 'store', `there is no ${path} yet`, 'it is made at first use: `millrace migrate`'),
    ]
  const findings = [
    finding('ok', 'store', path === null ? 'in memory' : `${path}, ${statSync(path).size} bytes`),
  ]
  try {
    await engine.open({ migrate: false })
    const { ok, durability, schemaVersion, notes } = await engine.health()
    findings.push(
      finding(
        'ok',
        'versions',
        `SQLite ${process.versions['sqlite']}, schema ${schemaVersion}, millrace ${version}`,
      ),
      durability === 'durable'
        ? finding('ok', 'durability', 'an acknowledged job survives a power cut')
        : finding(
            'warn',
            'durability',
            'an acknowledged job can be lost in a power cut',
            'name a file on a disk of this machine',
          ),
      ok
        ? finding('ok', 'health', 'it can be read')
        : finding('bad', 'health', notes.join('; '), 'restore a backup, or name another file'),
    )
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error)
    findings.push(finding('bad', 'health', says, 'see what the sentence says, then look again'))
  } finally {
    await engine.close()
  }
  return findings
}

function pathOf(url: string): string | null {
  if (url.endsWith(':memory:')) return null
  return url.startsWith('file://') ? fileURLToPath(url) : resolve(url.slice('file:'.length))
}

function finding(
  status: Finding['status'],
  check: string,
  says: string,
  advice: string | null = null,
): Finding {
  return { check, status, says, advice }
}

const styles: Record<Finding['status'], Style> = { ok: 'green', warn: 'yellow', bad: 'red' }

/** A finding, and below it what to do. */
function lines(out: Output, { check, status, says, advice }: Finding, width: number): string[] {
  const head = `${out.style(styles[status], status.padEnd(4))}  ${check.padEnd(width)}  `
  const left = width + 8
  const said = wrap(clean(says), out.columns - left)
  const told = advice === null ? [] : wrap(clean(advice), out.columns - left - 2)
  return [
    ...said.map((line, index) => (index === 0 ? head : ' '.repeat(left)) + line),
    ...told.map((line, index) => ' '.repeat(left) + out.style('dim', `${index === 0 ? '→' : ' '} ${line}`)),
  ]
}
