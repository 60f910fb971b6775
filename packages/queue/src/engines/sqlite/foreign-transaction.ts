import { DatabaseSync } from 'node:sqlite'
import { QueueError } from '../../engine/errors.ts'
import { Store } from './store.ts'

const stores = new WeakMap<DatabaseSync, Store>()

/** The caller's own open transaction as a store. Refuses what would not commit together with the caller's writes. */
export function foreignStore(tx: unknown, own: Store): Store {
  if (!(tx instanceof DatabaseSync))
    throw new QueueError(
      'invalid-argument',
      'tx must be a DatabaseSync of node:sqlite that is open on the same file',
    )
  if (!tx.isTransaction)
    throw new QueueError('invalid-argument', 'tx has no open transaction: run BEGIN IMMEDIATE on it first')
  if (tx === own.db) return own
  if (tx.location() === null || tx.location() !== own.db.location())
    throw new QueueError(
      'invalid-argument',
      'tx is open on another database file than the queue; nothing could commit together',
    )
  let store = stores.get(tx)
  if (!store) stores.set(tx, (store = new Store(tx)))
  return store
}
