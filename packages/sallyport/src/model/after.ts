import { isThenable } from './thenable.ts'
import type { Awaitable } from './verdict.ts'

/** Goes on at once with a value, later with a promise's. */
export function after<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isThenable(value) ? awaited(value, next) : next(value)
}

async function awaited<T, R>(value: Promise<T>, next: (value: T) => Awaitable<R>): Promise<R> {
  return next(await value)
}
