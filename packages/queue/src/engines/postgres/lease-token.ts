import type { Lease } from '../../engine/contract.ts'

/** What this engine wants to know of a lease beside (id, epoch): the batch that it was claimed in. */
export interface Place {
  lid: number
}

export function leaseToken(lid: number): string {
  return String(lid)
}

export function readToken(lease: Lease): Place {
  return { lid: Number(lease.token) }
}
