/** Whether it is a value that comes later, of whatever library: a Promise of its own is no `Promise` of ours. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
