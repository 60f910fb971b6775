import type { Bench, Figure, Peer, SideInput } from '../harness.ts'
import { median, shown } from '../numbers.ts'
import type { Worked } from '../sides/work.ts'

export const process100k = processing({
  name: 'process-100k',
  about: 'a backlog of 100,000 no-op jobs, worked off by one process',
  quick: 100_000,
  whole: 100_000,
})

/** Only with the peer that keeps up. */
export const process300k = processing({
  name: 'process-300k',
  about: 'the same with 300,000 (quick: 150,000)',
  quick: 150_000,
  whole: 300_000,
  subjects: ['graphile'],
})

function processing(of: {
  name: string
  about: string
  quick: number
  whole: number
  subjects?: string[]
}): Figure {
  const { name, about, quick, whole, subjects } = of
  return { name, about, measure }

  async function measure(bench: Bench): ReturnType<Figure['measure']> {
    const jobs = bench.pick(quick, whole)
    const peers = subjects ? bench.peersOf(...subjects) : bench.peers
    const cpu: Record<string, Worked[]> = {}
    const found = await bench.compare(name, bench.pick(3, 7), peers, async (subject, peer) => {
      const worked = await workOff(bench, subject, jobs, peer)
      ;(cpu[subject] ??= []).push(worked)
      return worked.rate
    })
    return bench.results(name, 'jobs/s', found, peers, peer => {
      const ofPeer = peer ? `, peer ${cpuNote(cpu[peer.subject] ?? [])}` : ''
      return `CPU a job: ours ${cpuNote(cpu['ours'] ?? [])}${ofPeer}`
    })
  }
}

/** Processor time is what a busy machine disturbs least. */
function cpuNote(worked: Worked[]): string {
  const server = median(worked.map(each => each.serverMicros))
  const node = `${shown(median(worked.map(each => each.cpuMicros)))} µs`
  return server > 0 ? `${node} and ${shown(server)} µs in the server` : node
}

/** One round: a fresh store with a backlog, worked off by a fresh process. */
export function workOff(
  bench: Bench,
  subject: string,
  jobs: number,
  peer: Peer | null = null,
  nodeArgs: string[] = [],
): Promise<Worked> {
  const count = Math.round(jobs * (peer?.share?.work ?? 1))
  return bench.withStore(subject, count, store => worked(bench, subject, { ...store, count }, nodeArgs))
}

/** Works off `count` jobs of a store that there is. */
export async function worked(
  bench: Bench,
  subject: string,
  input: Pick<SideInput, 'url' | 'server' | 'count'>,
  nodeArgs: string[] = [],
): Promise<Worked> {
  return (await bench.run(subject, 'work', input, nodeArgs)) as unknown as Worked
}
