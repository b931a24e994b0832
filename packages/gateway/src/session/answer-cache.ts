/** Answers by key: kept for a time, shared by those who ask at once, and never more than a bounded number. */
export interface AnswerCache<T> {
  /**
   * The answer that is kept, or the one that `ask` gives. With `again` what is kept does not count, but a question that
   * is already under way does. What `ask` rejects with is told to all who wait, and not kept.
   */
  get(key: string, again: boolean, ask: () => Promise<T>): Promise<T>
  /** Forgets what is kept. An answer that is under way still goes to those who wait for it now, and to nobody later. */
  forget(): void
  readonly size: number
}

interface Kept<T> {
  readonly answer: T
  readonly until: number
}

/** Room for 10 000 answers; the one that was kept longest gives way. `now` is ms since the epoch. */
export function createAnswerCache<T extends { readonly cacheMs: number }>(
  now: () => number,
  most = 10_000,
): AnswerCache<T> {
  const kept = new Map<string, Kept<T>>()
  let underway = new Map<string, Promise<T>>()

  return {
    get size() {
      return kept.size
    },
    forget() {
      kept.clear()
      underway = new Map()
    },
    get(key, again, ask) {
      const known = again ? undefined : kept.get(key)
      // A clock that was set back must not keep an answer for hours.
      if (known !== undefined && known.until > now() && known.until - now() <= known.answer.cacheMs)
        return Promise.resolve(known.answer)
      const waiting = underway.get(key)
      if (waiting !== undefined) return waiting
      const mine = underway
      const asked = ask().then(
        answer => {
          mine.delete(key)
          if (mine !== underway) return answer
          kept.delete(key)
          if (answer.cacheMs > 0) {
            if (kept.size >= most) kept.delete(kept.keys().next().value!)
            kept.set(key, { answer, until: now() + answer.cacheMs })
          }
          return answer
        },
        (error: unknown) => {
          mine.delete(key)
          throw error
        },
      )
      underway.set(key, asked)
      return asked
    },
  }
}
