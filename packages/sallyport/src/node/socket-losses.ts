import type { Observer } from '../guard/observer.ts'
import { deny } from '../model/verdict.ts'
import type { SocketLoss } from './socket-bounds.ts'

/** Reports sockets that were closed before they sent a request, or because the server was full. */
export interface SocketLosses {
  note(loss: SocketLoss, address: string): void
  /** Reports the losses that were only counted so far. */
  stop(): void
}

/** One event of each kind in this time, in ms, so that an attacker does not decide how much is logged. */
const WINDOW_MS = 10_000
/** Most addresses that are counted separately in one window. */
const MOST_ADDRESSES = 256

interface Window {
  count: number
  readonly byAddress: Map<string, number>
  timer: NodeJS.Timeout | null
}

const CODES = { silent: 'SALLY_CONNECTIONS_SILENT', full: 'SALLY_CONNECTIONS_DROPPED' } as const

/** Counts each loss. Reports the first at once, and the rest together with the address that lost the most. */
export function createSocketLosses(observer: Observer, windowMs: number = WINDOW_MS): SocketLosses {
  const windows = new Map<SocketLoss, Window>()

  const tell = (loss: SocketLoss, window: Window): void => {
    const { count, byAddress } = window
    let [first, most] = ['', 0]
    for (const [address, lost] of byAddress) if (lost > most) [first, most] = [address, lost]
    const others = byAddress.size - 1
    const facts =
      others > 0 ? { reason: 'among', count, most, others } : { reason: count === 1 ? 'one' : 'some', count }
    observer.lostSockets(deny(CODES[loss], facts), first)
    window.count = 0
    byAddress.clear()
    window.timer = setTimeout(() => {
      window.timer = null
      if (window.count > 0) tell(loss, window)
    }, windowMs).unref()
  }

  return {
    note(loss, address) {
      observer.lostSocket(CODES[loss])
      let window = windows.get(loss)
      if (window === undefined) windows.set(loss, (window = { count: 0, byAddress: new Map(), timer: null }))
      const { byAddress } = window
      window.count++
      const known = byAddress.get(address)
      if (known !== undefined || byAddress.size < MOST_ADDRESSES) byAddress.set(address, (known ?? 0) + 1)
      if (window.timer === null) tell(loss, window)
    },
    stop() {
      for (const [loss, window] of windows) {
        if (window.count > 0) tell(loss, window)
        if (window.timer !== null) clearTimeout(window.timer)
        window.timer = null
      }
    },
  }
}
