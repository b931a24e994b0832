/** What a system knows of the bytes on their way to a peer: sent, and not acknowledged. */
export interface KernelQueue {
  /** Bytes that the peer's machine has not acknowledged; null before the first look. */
  readonly bytes: number | null
  /** Bytes that it has acknowledged since the first look; at least so many. */
  readonly taken: number
  /** How often `bytes` was another than at the look before. */
  readonly changes: number
}
