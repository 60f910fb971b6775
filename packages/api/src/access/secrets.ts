import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Role } from '../contract/permission.ts'
import type { Principal } from './principal.ts'

interface Entry {
  digest: Buffer
  principal: Principal
}

/** Long-lived secrets and whom each stands for. */
export class Secrets {
  readonly #entries: Entry[] = []

  /** Empty ones are left out: a variable that is set to nothing opens no door. */
  add(role: Role, secrets: readonly (string | null | undefined)[] = []): this {
    for (const [index, secret] of secrets.filter(each => each !== null && each !== undefined).entries())
      if (secret !== '')
        this.#entries.push({
          digest: digestOf(secret),
          principal: { name: `${role}#${index + 1}`, role, tenant: null },
        })
    return this
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Of each secret, something that stands for it as long as it is accepted, and tells nothing about it without the key. */
  marks(key: Uint8Array): Set<string> {
    return new Set(this.#entries.map(({ digest }) => markOf(digest, key)))
  }

  /** Takes the same time whichever matches, or none: all are compared, and over digests of one length. */
  find(presented: string): Principal | null {
    const digest = digestOf(presented)
    let found: Principal | null = null
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry.principal
    return found
  }
}

/** As `marks` has it, of any text. */
export function mark(secret: string, key: Uint8Array): string {
  return markOf(digestOf(secret), key)
}

function markOf(digest: Buffer, key: Uint8Array): string {
  return createHmac('sha256', key).update(digest).digest('base64url')
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
