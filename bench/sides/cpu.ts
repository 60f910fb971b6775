import { readdirSync, readFileSync } from 'node:fs'

/** CPU time since it was made, in microseconds: of this process, and of a database server with all its processes. */
export function cpuMeter(server: number): () => { nodeMicros: number; serverMicros: number } {
  const nodeBefore = process.cpuUsage()
  const serverBefore = server === 0 ? 0 : treeMicros(server)
  return () => {
    const { user, system } = process.cpuUsage(nodeBefore)
    const serverMicros = server === 0 ? 0 : treeMicros(server) - serverBefore
    return { nodeMicros: user + system, serverMicros }
  }
}

/** The kernel counts in hundredths of a second. */
const tickMicros = 10_000

/** A process, its children, and those of its children that have ended, which the kernel adds up in their parent. */
function treeMicros(root: number): number {
  let ticks = 0
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const fields = statOf(pid)
    const isRoot = Number(pid) === root
    if (!fields || (!isRoot && Number(fields[1]) !== root)) continue
    // proc(5): utime and stime are the fields 14 and 15, cutime and cstime 16 and 17; here they begin at the third.
    for (const field of fields.slice(11, isRoot ? 15 : 13)) ticks += Number(field)
  }
  return ticks * tickMicros
}

/** The fields from the third on; the second is a name that may hold anything. */
function statOf(pid: string): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}
