/** Longest key that is compared; a longer one is no typing error. */
const LONGEST = 48

/**
 * The known word that was probably meant, or undefined when none is close. Optimal string alignment (Damerau-Levenshtein
 * with adjacent transpositions), letter case aside; a word that begins with the other one counts as close too.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length === 0 || word.length > LONGEST) return undefined
  const typed = word.toLowerCase()
  let best: string | undefined
  let least = Math.max(1, Math.floor(typed.length * 0.4)) + 1
  for (const candidate of known) {
    const distance = editDistance(typed, candidate.toLowerCase())
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  if (best !== undefined) return best
  return known.find(candidate => {
    const [short, long] =
      candidate.length < typed.length ? [candidate.toLowerCase(), typed] : [typed, candidate.toLowerCase()]
    return short.length >= 4 && long.startsWith(short)
  })
}

/** Insertions, deletions, substitutions and adjacent transpositions that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
