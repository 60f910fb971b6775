/** The duration below which the share `q` of a log2 histogram's durations lies, by even spread within a bucket. */
export function quantile(histogram: ArrayLike<number>, count: number, q: number): number {
  const rank = q * count
  let below = 0
  for (let index = 0; index < histogram.length; index++) {
    const inside = histogram[index] as number
    if (inside > 0 && below + inside >= rank) {
      const low = index === 0 ? 0 : 2 ** (index - 1)
      return low + (2 ** index - low) * Math.max(0, (rank - below) / inside)
    }
    below += inside
  }
  return 2 ** (histogram.length - 1)
}
