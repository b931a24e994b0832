import { isThenable } from './thenable.ts'
import type { Awaitable } from './verdict.ts'

/** Calls `next` with a value at once, or with the value of a promise later. */
export function after<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isThenable(value) ? awaited(value, next) : next(value)
}

async function awaited<T, R>(value: Promise<T>, next: (value: T) => Awaitable<R>): Promise<R> {
  return next(await value)
}
