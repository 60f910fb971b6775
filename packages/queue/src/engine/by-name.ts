/**
 * What stands under names that people chose, as a plain value. A name may be any word: `record.constructor` is what the map has
 * under that name, or undefined, never what objects inherit.
 */
export function byName<Value>(groups: ReadonlyMap<string, Value>): Record<string, Value> {
  const bare = Object.create(null) as Record<string, Value>
  return Object.assign(bare, Object.fromEntries(groups))
}
