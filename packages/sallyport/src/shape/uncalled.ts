/** Functions that make what belongs into a policy, and how each is called. */
const makers = new WeakMap<object, string>()

/** Notes that a function belongs into a policy only once it was called: without the call it would fail at every handshake. */
export function noteMaker(maker: object, call: string): void {
  makers.set(maker, call)
}

/** How the function is to be called; undefined for one of the app's own. */
export function callOf(maker: object): string | undefined {
  return makers.get(maker)
}
