/** Values that come, and those who wait for one. */
export function queue<T>(): { put(value: T): void; take(): Promise<T> } {
  const values: T[] = []
  const waiting: ((value: T) => void)[] = []
  return {
    put(value) {
      const next = waiting.shift()
      if (next === undefined) values.push(value)
      else next(value)
    },
    take: () =>
      values.length > 0 ? Promise.resolve(values.shift() as T) : new Promise(resolve => waiting.push(resolve)),
  }
}
