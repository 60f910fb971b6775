/** A worker in a process of its own, to be killed or frozen: `node crawl-site-child.ts <store's URL>`. */

import { openApplication } from '@millrace/api'
import { seology } from '../src/main.ts'

const [url = ''] = process.argv.slice(2)
const application = await openApplication({
  url,
  modules: [seology()],
  // Short, so that the next process takes over soon, but longer than loading a browser's driver blocks a busy machine.
  worker: { leaseMs: 4_000, sweepMs: 200, pollMs: 100 },
})
application.millrace.on('lease-lost', () => process.send?.('lease-lost'))
application.millrace.on('completed', () => process.send?.('completed'))
application.millrace.on('started', () => process.send?.('started'))
await application.worker?.start()
process.send?.('working')
process.once('disconnect', () => process.exit(0))
