/** The middle of some figures, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  const median =
    sorted.length % 2 === 1
      ? sorted[Math.floor(middle)]
      : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
  return { median: median ?? Number.NaN, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN }
}

/** Round by round, figure over figure of the same round: what a slow minute does to both cancels out. */
export function ratioOf(figures: readonly number[], base: readonly number[]): Spread {
  return spreadOf(figures.map((figure, round) => figure / (base[round] ?? Number.NaN)))
}

/** The figures in another order each round, so that no peer always runs after the same one. */
export function turned<T>(list: readonly T[], round: number): T[] {
  const at = round % Math.max(1, list.length)
  const rotated = [...list.slice(at), ...list.slice(0, at)]
  return round % 2 === 0 ? rotated : rotated.toReversed()
}
