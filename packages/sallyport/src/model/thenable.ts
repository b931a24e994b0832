/** Whether a value arrives later. Promises of other libraries are not instances of `Promise`, so `then` is checked. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
