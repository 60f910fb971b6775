import { describeCrash } from './describe.ts'
import { usePostgres } from './postgres.ts'
import { describeFrozenTransaction } from './postgres-frozen.ts'
import { describeSlowBeat } from './postgres-slow-beat.ts'

const { target } = usePostgres()
describeCrash(target, {
  jobs: 12_000,
  workerKills: 200,
  producerKills: 32,
  zombies: 50,
  lanes: 3,
  paceMs: 400,
})
describeFrozenTransaction(target)
describeSlowBeat(target)
