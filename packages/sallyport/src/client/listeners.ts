/** Ends a subscription. */
export type Off = () => void

/** Listeners by name. */
export interface Listeners {
  on(name: string, listener: (value: never) => void): Off
  emit(name: string, value?: unknown): void
  /** Whether there is any. */
  any(): boolean
}

/** Listeners that cannot break one another: what one throws is thrown later, where the host reports it. */
export function createListeners(): Listeners {
  const all = new Map<string, Set<{ readonly call: (value: never) => void }>>()
  return {
    on(name, call) {
      if (typeof call !== 'function') throw new TypeError(`no listener for '${name}'`)
      const entry = { call }
      const entries = all.get(name) ?? new Set()
      all.set(name, entries.add(entry))
      return () => {
        entries.delete(entry)
      }
    },
    emit(name, value) {
      for (const { call } of all.get(name) ?? []) {
        try {
          call(value as never)
        } catch (error) {
          setTimeout(() => {
            throw error
          })
        }
      }
    },
    any: () => [...all.values()].some(({ size }) => size > 0),
  }
}

/** Whether it runs in a page that nobody sees. */
export const isHidden = (): boolean => globalThis.document?.visibilityState === 'hidden'

/** Begins or ends to tell when the page is shown again or comes online. Without a page it does nothing. */
export function watchPage(verb: 'addEventListener' | 'removeEventListener', act: (event: Event) => void): void {
  for (const name of ['online', 'pageshow']) globalThis[verb]?.(name, act)
  globalThis.document?.[verb]('visibilitychange', act)
}
