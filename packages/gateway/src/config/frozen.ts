/** Freezes plain data through and through, and returns it. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const entry of Object.values(value)) frozen(entry)
  return Object.freeze(value)
}
