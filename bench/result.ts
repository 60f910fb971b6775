import { median, round, spread } from './numbers.ts'

/** What the bench prints of each figure. `ratio` is ours by peer: above 1 is good for rates, below 1 for times and sizes. */
export interface Result {
  name: string
  ours: number
  peer: number | null
  peerName: string | null
  /** The median of the rounds' own ratios: what disturbs a round disturbs both of its sides. */
  ratio: number | null
  unit: string
  rounds: number
  spread: {
    ours: [min: number, max: number]
    peer: [min: number, max: number] | null
    ratio: [min: number, max: number] | null
  }
  /** What has to hold, such as `ratio ≥ 1.5`. */
  must?: string
  goal?: string
  /** `goal`: both hold. `ok`: the must holds. `short`: it does not. */
  verdict?: 'goal' | 'ok' | 'short'
  /** What a reader should know, such as why there is no peer. */
  note?: string
}

export function result(
  name: string,
  unit: string,
  found: { ours: number[]; peer?: number[] },
  peerName: string | null = null,
  note?: string,
): Result {
  const peer = found.peer && found.peer.length > 0 ? found.peer : null
  const ratios = peer ? found.ours.map((ours, index) => ours / (peer[index] ?? median(peer))) : []
  const comparable = ratios.length > 0 && ratios.every(Number.isFinite)
  return {
    name,
    ours: round(median(found.ours)),
    peer: peer && round(median(peer)),
    peerName,
    ratio: comparable ? round(median(ratios)) : null,
    unit,
    rounds: found.ours.length,
    spread: {
      ours: spread(found.ours),
      peer: peer && spread(peer),
      ratio: comparable ? spread(ratios) : null,
    },
    ...(note === undefined ? {} : { note }),
  }
}

/** What a figure has to reach, and what it is meant to. */
export interface Bound {
  figure: string
  /** How the peer's name begins; every row of the figure when left out. */
  peer?: string
  must?: Limit
  goal?: Limit
}
type Limit = [of: 'ratio' | 'ours', is: '≥' | '≤', number: number]

/** Says of each result whether it holds what the first bound that fits it asks. */
export function judged(results: Result[], bounds: Bound[]): Result[] {
  return results.map(each => {
    const bound = bounds.find(
      ({ figure, peer }) => figure === each.name && (!peer || each.peerName?.startsWith(peer)),
    )
    if (!bound) return each
    const { must, goal } = bound
    const verdict = must && !holds(each, must) ? 'short' : goal && holds(each, goal) ? 'goal' : 'ok'
    return {
      ...each,
      ...(must ? { must: must.join(' ') } : {}),
      ...(goal ? { goal: goal.join(' ') } : {}),
      verdict,
    }
  })
}

function holds(result: Result, [of, is, limit]: Limit): boolean {
  const value = result[of] ?? Number.NaN
  return is === '≥' ? value >= limit : value <= limit
}
