/** Opens the tables in a thread of its own, then says so. */

import { parentPort, workerData } from 'node:worker_threads'
import { openTables } from '../src/tables/open.ts'

const tables = await openTables(String(workerData))
await tables.close()
parentPort?.postMessage('open')
