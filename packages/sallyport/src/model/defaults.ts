const SECOND = 1000

/** The defaults by name: `…Ms` is ms. */
export interface Defaults {
  readonly name: string
  readonly timeoutMs: number
  readonly logWindowMs: number
  readonly authenticationMs: number
}

/** What a policy gets that says nothing: ms, each with its reason. */
export const DEFAULTS: Defaults = Object.freeze({
  name: 'sallyport',
  /** An asynchronous control answers from a store or a rule of the app; one that needs longer holds an open socket hostage. */
  timeoutMs: 5 * SECOND,
  /** A log line a kind and 10 s: readable under attack, still near enough to see one begin. */
  logWindowMs: 10 * SECOND,

  /** The client sends its first message in its `open` event: one round trip. */
  authenticationMs: 5 * SECOND,
})
