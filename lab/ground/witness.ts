/** Lets the lab wait for what happens, never for time. */
export interface Witness {
  /** Something happened: everybody who waits looks again. */
  note(): void
  /** Resolves with the first answer of `look` that is not undefined; rejects with the signal's reason. */
  until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T>
}

export function createWitness(): Witness {
  const waiting = new Set<() => void>()
  return {
    note() {
      for (const look of waiting) look()
    },
    until(look, signal) {
      return new Promise((resolve, reject) => {
        const end = (): void => {
          waiting.delete(again)
          signal.removeEventListener('abort', aborted)
        }
        const again = (): void => {
          const answer = look()
          if (answer === undefined) return
          end()
          resolve(answer)
        }
        const aborted = (): void => {
          end()
          reject(signal.reason)
        }
        if (signal.aborted) return reject(signal.reason)
        waiting.add(again)
        signal.addEventListener('abort', aborted)
        again()
      })
    },
  }
}
