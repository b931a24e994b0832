/**
 * Thrown by a store that cannot decide. The caller denies the request.
 *
 * `FULL`: no room for another key · `CLOSED`: closed by the app · `UNAVAILABLE`: no answer within the deadline, or the
 * circuit is open · `SETTLING`: a shared store lost its data and is receiving it again · `FORGOT`: a use since the
 * creation of the key may have been forgotten.
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

/** Whether a store threw it. A shared store may come from another copy of the library, which has its own class. */
export function isStoreError(error: unknown): error is StoreError {
  return (
    error instanceof Error &&
    error.name === 'StoreError' &&
    /^SALLY_STORE_[A-Z]{1,20}$/.test(String(Reflect.get(error, 'code')))
  )
}
