/** A held connection is read until so much waits; one read more makes it 64 KiB at most, beside one message under way. */
export const AHEAD_BYTES = 49_152
/** What a waiting message costs beside its bytes: a record of some fields. */
export const WAITING_BYTES = 256
/** What waits of all connections of the process, and of those of one address. */
export const AHEAD_TOTAL_BYTES = 67_108_864
export const AHEAD_ADDRESS_BYTES = 16_777_216

/** A connection that holds what it has read and not handled yet. */
export interface Holder {
  /** Bytes that it holds; written by {@link ReadAhead} alone. */
  aheadBytes: number
  /** Who shares its part: the address, an IPv6 one by its /64. */
  readonly aheadKey: string
  /** Ends it, so that it holds nothing: it holds the most of those who hold too much. */
  evict(): void
}

/** The account of what connections hold while they are held back. */
export interface ReadAhead {
  /** Bytes held in all. */
  readonly bytes: number
  /**
   * `bytes` more, or fewer, are held. Over a bound the greatest holder of the address that holds the most is ended: bytes
   * that came with one read cannot be given back to the network.
   */
  add(holder: Holder, bytes: number): void
  /**
   * Whether a connection may be read on. Nobody may hold more than is left for all, so that whoever comes last finds room:
   * the shares of n connections tend to a part in n + 1 each.
   */
  mayRead(holder: Holder): boolean
}

/** Bounds of an account, in bytes. */
export interface ReadAheadBounds {
  readonly each: number
  readonly address: number
  readonly total: number
}

/** Creates an account; {@link readAhead} is the one of the process. */
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
  /** The greatest holder of one address. */
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
      // Whatever it did: what it held is no longer counted.
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
