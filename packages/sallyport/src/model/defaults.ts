const SECOND = 1000

/** The defaults by name. A name that ends in `Ms` is in ms. */
export interface Defaults {
  readonly name: string
  readonly timeoutMs: number
  readonly logWindowMs: number
  readonly authenticationMs: number
}

/** The values for keys that a policy leaves out, in ms, each with its reason. */
export const DEFAULTS: Defaults = Object.freeze({
  name: 'sallyport',
  /**
   * An asynchronous control waits for a store or a rule of the app. A longer wait would keep a socket open for nothing.
   */
  timeoutMs: 5 * SECOND,
  /** One log line for each kind in 10 s. The log stays readable under attack and still shows when one begins. */
  logWindowMs: 10 * SECOND,

  /** The client sends its first message in its `open` event, so it needs one round trip. */
  authenticationMs: 5 * SECOND,
})
