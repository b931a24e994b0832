/**
 * A held connection is read until this many bytes wait. With one further read it holds at most 64 KiB, apart from one
 * unfinished message.
 */
export const AHEAD_BYTES = 49_152
/** Memory of a waiting message in addition to its bytes: a record of some fields. */
export const WAITING_BYTES = 256
/** Bounds on the waiting bytes of all connections of the process, and of all connections of one address. */
export const AHEAD_TOTAL_BYTES = 67_108_864
export const AHEAD_ADDRESS_BYTES = 16_777_216

/** A connection that holds bytes that were read and are not handled yet. */
export interface Holder {
  /** Bytes that it holds. Only {@link ReadAhead} writes it. */
  aheadBytes: number
  /** Key of the group that shares a bound: the address, or the /64 network of an IPv6 address. */
  readonly aheadKey: string
  /** Ends the connection, so that it holds nothing. Called for the greatest holder when a bound is exceeded. */
  evict(): void
}

/** Accounts for the bytes that held connections keep. */
export interface ReadAhead {
  /** Bytes held by all connections. */
  readonly bytes: number
  /**
   * Adds `bytes` to a holder; a negative number subtracts. If a bound is exceeded, the greatest holder of the address
   * with the most bytes is ended, because bytes that were read cannot be given back to the network.
   */
  add(holder: Holder, bytes: number): void
  /**
   * Whether a connection may be read on. No connection may hold more than the rest that is free, so that a new one
   * always finds room. With n connections each share tends to 1 / (n + 1) of the total.
   */
  mayRead(holder: Holder): boolean
}

/** Bounds of an account, in bytes. */
export interface ReadAheadBounds {
  readonly each: number
  readonly address: number
  readonly total: number
}

/** Creates an account. {@link readAhead} is the account of the process. */
export function createReadAhead({ each, address, total }: ReadAheadBounds): ReadAhead {
  const holders = new Set<Holder>()
  const byAddress = new Map<string, number>()
  let sum = 0

  const change = (holder: Holder, bytes: number): void => {
    const { aheadKey: key } = holder
    holder.aheadBytes += bytes
    sum += bytes
    const left = (byAddress.get(key) ?? 0) + bytes
    if (left > 0) byAddress.set(key, left)
    else byAddress.delete(key)
    if (holder.aheadBytes > 0) holders.add(holder)
    else holders.delete(holder)
  }
  /** The connection of one address that holds the most. */
  const greatestOf = (key: string): Holder | undefined => {
    let greatest: Holder | undefined
    for (const holder of holders) {
      if (holder.aheadKey === key && holder.aheadBytes > (greatest?.aheadBytes ?? 0)) greatest = holder
    }
    return greatest
  }
  const greatestAddress = (): string => {
    let greatest = ''
    let most = 0
    for (const [key, bytes] of byAddress) if (bytes > most) [greatest, most] = [key, bytes]
    return greatest
  }
  /** Ends the greatest holders of an address until `isOver` is false. */
  const evictWhile = (keyOf: () => string, isOver: () => boolean): void => {
    for (let holder = isOver() ? greatestOf(keyOf()) : undefined; holder !== undefined; ) {
      holder.evict()
      // Subtracts what it held, even if `evict` did nothing.
      change(holder, -holder.aheadBytes)
      holder = isOver() ? greatestOf(keyOf()) : undefined
    }
  }

  return {
    get bytes() {
      return sum
    },
    add(holder, bytes) {
      if (bytes === 0) return
      change(holder, bytes)
      if (bytes < 0) return
      const { aheadKey: key } = holder
      evictWhile(
        () => key,
        () => (byAddress.get(key) ?? 0) > address,
      )
      evictWhile(greatestAddress, () => sum > total)
    },
    mayRead({ aheadBytes: own, aheadKey }) {
      if (own >= each || own > total - sum) return false
      return own <= address - (byAddress.get(aheadKey) ?? 0)
    },
  }
}

/** The account of this process. */
export const readAhead: ReadAhead = createReadAhead({
  each: AHEAD_BYTES,
  address: AHEAD_ADDRESS_BYTES,
  total: AHEAD_TOTAL_BYTES,
})
