import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../harness.ts'
import { table } from '../table.ts'

/** A `.cpuprofile`, as far as it is read here. Times are in microseconds. */
interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

export interface Statement {
  sql: string
  calls: number
  ms: number
}

const rows = 35
const home = fileURLToPath(new URL('../..', import.meta.url))

/** Works off a backlog under the CPU profiler, which tells the functions by self time. */
export async function profileFunctions(bench: Bench, count: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-profile-'))
  try {
    const { rate } = await bench.withStore('ours', count, store =>
      bench.run('ours', 'work', { ...store, count }, ['--cpu-prof', `--cpu-prof-dir=${folder}`]),
    )
    const file = readdirSync(folder).find(name => name.endsWith('.cpuprofile'))
    if (!file) throw new Error('the profiler left no profile')
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile
    return `${head(rate, count)}\n\n${selfTimes(profile, count)}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function head(rate: number | undefined, count: number): string {
  return `${Math.round(rate ?? 0).toLocaleString('en-US')} jobs/s while measured, ${count.toLocaleString('en-US')} jobs`
}

export function statementTimes(statements: Statement[], count: number): string {
  const lines = statements
    .sort((a, b) => b.ms - a.ms)
    .slice(0, rows)
    .map(({ sql, calls, ms }) => [
      ms.toFixed(1),
      String(calls),
      ((1_000 * ms) / count).toFixed(3),
      sql.replace(/\s+/g, ' ').trim().slice(0, 110),
    ])
  return table([['ms', 'calls', 'µs a job', 'statement'], ...lines], [0, 1, 2])
}

function selfTimes({ nodes, samples, timeDeltas }: Profile, count: number): string {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const self = new Map<string, number>()
  let total = 0
  samples.forEach((node, index) => {
    const micros = timeDeltas[index] ?? 0
    const name = names.get(node) ?? '?'
    total += micros
    self.set(name, (self.get(name) ?? 0) + micros)
  })
  const top = [...self].sort((a, b) => b[1] - a[1]).slice(0, rows)
  const lines = top.map(([name, micros]) => [
    (micros / 1_000).toFixed(1),
    `${((100 * micros) / total).toFixed(1)} %`,
    (micros / count).toFixed(3),
    name,
  ])
  return table([['self ms', 'share', 'µs a job', 'function'], ...lines], [0, 1, 2])
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const place = url.startsWith('file:') ? fileURLToPath(url).replace(home, '') : url
  return `${functionName || '(anonymous)'}${place ? `  ${place}:${lineNumber + 1}` : ''}`
}
