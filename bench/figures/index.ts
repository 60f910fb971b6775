import type { PostgresBench } from '../engines/postgres.ts'
import type { SqliteBench } from '../engines/sqlite.ts'
import type { Figure } from '../harness.ts'
import { figure as backlog } from './backlog-1m.ts'
import { crawlBrowser, crawlFetch } from './crawl.ts'
import { enqueueAwaits, enqueueBulk } from './enqueue.ts'
import { figure as history1m } from './history-1m.ts'
import { figure as history10m } from './history-10m.ts'
import { idle, idleCpu } from './idle.ts'
import { latency, latency50, latencyTwoProcesses } from './latency.ts'
import { figure as memory } from './memory-100k.ts'
import { pinnedSnapshot, pinnedWriter } from './pinned-snapshot.ts'
import { figure as stats } from './stats-10m.ts'
import { figure as twoProcesses } from './two-processes.ts'
import { process100k, process300k } from './work.ts'

/** In the order in which they are measured and printed. A new figure is one file and one line here. */
export const sqliteFigures: Figure<SqliteBench>[] = [
  process100k,
  enqueueAwaits,
  enqueueBulk,
  latency,
  latencyTwoProcesses,
  backlog,
  history1m,
  memory,
  idleCpu,
  crawlFetch,
  crawlBrowser,
]

export const postgresFigures: Figure<PostgresBench>[] = [
  process100k,
  process300k,
  enqueueBulk,
  enqueueAwaits,
  latency50,
  pinnedSnapshot,
  pinnedWriter,
  backlog,
  twoProcesses,
  idle,
  history10m,
  stats,
]
