/** Whether it runs in a page that nobody sees. */
export const isHidden = (): boolean => globalThis.document?.visibilityState === 'hidden'

/** Begins or ends to tell when the page is shown again or comes online. Without a page it does nothing. */
export function watchPage(verb: 'addEventListener' | 'removeEventListener', act: (event: Event) => void): void {
  for (const name of ['online', 'pageshow']) globalThis[verb]?.(name, act)
  globalThis.document?.[verb]('visibilitychange', act)
}
