/**
 * Reads a trace of `fsync`, `fdatasync`, `write` and `pwrite64` (strace -f -y) and tells which acknowledgements came
 * before what they acknowledge was on the disk: between a mark `ask …` and its `ack …` there must be a write to the
 * write-ahead log, and after the last such write an fsync of the log that has returned.
 */
export function unsynced(trace: string, marks: string): { acknowledgements: number; faults: string[] } {
  const faults: string[] = []
  let acknowledgements = 0
  let written = false
  let synced = false
  for (const { call, path, rest, finished } of calls(trace)) {
    const isLog = path.endsWith('-wal')
    if (isLog && call === 'pwrite64') {
      written = true
      synced = false
    }
    if (isLog && finished && (call === 'fsync' || call === 'fdatasync')) synced = true
    if (path !== marks) continue
    if (rest.startsWith('"ask')) written = synced = false
    if (!rest.startsWith('"ack')) continue
    acknowledgements++
    if (!written) faults.push(`${rest}: nothing was written to the log`)
    else if (!synced) faults.push(`${rest}: the log was not synced after its last write`)
  }
  return { acknowledgements, faults }
}

interface Call {
  call: string
  path: string
  rest: string
  /** Whether it has returned without an error. */
  finished: boolean
}

/** System calls in the order in which they began; a call that was interrupted comes again when it returns. */
function* calls(trace: string): Generator<Call> {
  const open = new Map<string, Call>()
  for (const line of trace.split('\n')) {
    const began = /^(\d+)\s+(\w+)\(\d+<([^>]*)>(?:, (.*))?/.exec(line)
    if (began) {
      const [, pid = '', call = '', path = '', rest = ''] = began
      const unfinished = line.endsWith('<unfinished ...>')
      const entry = { call, path, rest, finished: !unfinished && / = \d+$/.test(line) }
      if (unfinished) open.set(pid, entry)
      yield entry
      continue
    }
    const resumed = /^(\d+)\s+<\.\.\. \w+ resumed>.* = (-?\d+)/.exec(line)
    const entry = resumed && open.get(resumed[1] as string)
    if (entry) yield { ...entry, rest: '', finished: Number(resumed[2]) >= 0 }
  }
}
