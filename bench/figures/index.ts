import type { Figure } from '../harness.ts'
import { figure as backlog } from './backlog-1m.ts'
import { figure as awaits } from './enqueue-100-awaits.ts'
import { crawlBrowser, crawlFetch } from './crawl.ts'
import { figure as bulk } from './enqueue-bulk.ts'
import { figure as history } from './history-1m.ts'
import { figure as idle } from './idle-cpu.ts'
import { figure as latency } from './latency.ts'
import { figure as latencyTwo } from './latency-two-processes.ts'
import { figure as memory } from './memory-100k.ts'
import { figure as process100k } from './process-100k.ts'

/** In the order in which they are measured and printed. A new figure is one file and one line here. */
export const figures: Figure[] = [
  process100k,
  awaits,
  bulk,
  latency,
  latencyTwo,
  backlog,
  history,
  memory,
  idle,
  crawlFetch,
  crawlBrowser,
]
