/** What the operating system knows about bytes that were sent to a peer and are not acknowledged yet. */
export interface KernelQueue {
  /** Bytes that the peer's machine has not acknowledged. Null before the first measurement. */
  readonly bytes: number | null
  /** Lower bound of the bytes that it has acknowledged since the first measurement. */
  readonly taken: number
  /** How often `bytes` differed from the measurement before. */
  readonly changes: number
}
