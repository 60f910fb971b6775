import type { Lease } from '../../engine/contract.ts'

/** What this engine wants to know of a lease without asking the database. The fence itself is (n, epoch, worker). */
export interface Place {
  n: number
  kind: number
  batch: number
}

export function leaseToken(n: number, kind: number, batch: number): string {
  return `${n}.${kind}.${batch}`
}

export function readToken(lease: Lease): Place {
  const { token } = lease
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  return {
    n: Number(token.slice(0, first)),
    kind: Number(token.slice(first + 1, second)),
    batch: Number(token.slice(second + 1)),
  }
}
