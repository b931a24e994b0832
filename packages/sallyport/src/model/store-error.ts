/**
 * Thrown by a store that cannot decide; whoever asked is denied.
 *
 * `FULL`: no room for another key · `CLOSED`: closed by the app · `UNAVAILABLE`: no answer within the deadline, or the
 * circuit is open · `SETTLING`: a shared store lost what it knew and is being told again · `FORGOT`: a use may have been
 * forgotten since the key came into being.
 */
export class StoreError extends Error {
  readonly code:
    | 'SALLY_STORE_FULL'
    | 'SALLY_STORE_CLOSED'
    | 'SALLY_STORE_UNAVAILABLE'
    | 'SALLY_STORE_SETTLING'
    | 'SALLY_STORE_FORGOT'
  constructor(code: StoreError['code'], message: string) {
    super(message)
    this.name = 'StoreError'
    this.code = code
  }
}

/** Whether a store threw it; a shared store may be of another copy of the library, whose class is another one. */
export function isStoreError(error: unknown): error is StoreError {
  return (
    error instanceof Error &&
    error.name === 'StoreError' &&
    /^SALLY_STORE_[A-Z]{1,20}$/.test(String(Reflect.get(error, 'code')))
  )
}
