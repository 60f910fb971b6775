import { describeCrash } from './describe.ts'
import { describeDisk } from './sqlite-disk.ts'
import { sqliteTarget } from './sqlite.ts'

describeCrash(sqliteTarget, {
  jobs: 10_000,
  workerKills: 68,
  producerKills: 32,
  zombies: 20,
  lanes: 1,
  paceMs: 160,
})
describeDisk()
