import type { HeartbeatOptions, SocketLike } from './options.ts'

/** Asks the server of one socket after the other whether it is still there. */
export interface Heartbeat {
  /** Messages pass on this socket from now on. */
  begin(socket: SocketLike): void
  /** Something came in. True where it is the answer to a heartbeat, which is no message. */
  heard(data: unknown): boolean
  /** Asks at once. False where the server would not understand. */
  ask(): boolean
  /** Whether nothing came in for as long as it waits before it asks. */
  isQuiet(): boolean
  end(): void
}

const OWN_PROTOCOL = 'sallyport.v1'
/** The server answers 12 a minute, 12 at once: it never asks for more than 10. */
const SPACING_MS = 6000
const BURST_MS = 9 * SPACING_MS
/** A timer that fires so late was stopped: the page was frozen, or the machine slept. */
const LATE_MS = 2000

/**
 * Calls `lost` when a socket brings nothing in answer to a question: `atOnce` where `ask` was called, so that somebody waits
 * for a new connection.
 */
export function createHeartbeat(options: HeartbeatOptions | false = {}, lost: (atOnce: boolean) => void): Heartbeat {
  const {
    text = '{"type":"sallyport.ping"}',
    reply = '{"type":"sallyport.pong"}',
    after = 20_000,
    within = 8000,
    awake = 3000,
  } = options || {}
  const isDeclared = options && options.text
  let hasBegun = false
  /** The socket that can be asked. */
  let socket: SocketLike | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  /** When something came since the timer was armed; 0 for not. */
  let heardAt = 0
  let isQuiet = false
  /** When the answer must be there; 0 while none is awaited. */
  let dueAt = 0
  /** Bytes that had not left when it last looked. */
  let unsent = 0
  let isRepeated = false
  let atOnce = false
  /** Theoretical arrival time (GCRA) of what it sent. */
  let sentTat = 0

  const arm = (ms: number, act: () => void): void => {
    clearTimeout(timer)
    timer = setTimeout(act, ms)
  }
  /** Waits for `after` of silence. One timer for many messages: it goes on for what is left when something came. */
  const listen = (ms: number): void => {
    heardAt = dueAt = 0
    atOnce = false
    arm(ms, () => {
      // A clock that was set must not put the question off.
      if (heardAt) listen(Math.min(after, heardAt + after - Date.now()))
      else {
        isQuiet = true
        if (socket) ask(within)
      }
    })
  }

  const expect = (ms: number): void => {
    dueAt = Date.now() + ms
    arm(ms, judge)
  }
  const ask = (limit: number): void => {
    const now = Date.now()
    if (dueAt) {
      if (dueAt > now + limit) expect(limit)
      return
    }
    sentTat = Math.max(sentTat, now)
    if (sentTat - now > BURST_MS) {
      arm(limit, () => ask(limit))
      return
    }
    sentTat += SPACING_MS
    socket?.send(text)
    unsent = socket?.bufferedAmount ?? 0
    expect(limit)
  }
  const judge = (): void => {
    const left = socket?.bufferedAmount ?? 0
    if (left && left < unsent) {
      // The question stands behind an upload that moves.
      unsent = left
      expect(within)
    } else if (!isRepeated && Date.now() - dueAt > LATE_MS) {
      isRepeated = true
      dueAt = 0
      ask(awake)
    } else lost(atOnce)
  }

  return {
    begin(opened) {
      socket = options && (isDeclared || opened.protocol === OWN_PROTOCOL) ? opened : null
      hasBegun = true
      isQuiet = isRepeated = false
      listen(after)
    },
    heard(data) {
      if (!hasBegun) return false
      isRepeated = false
      if (dueAt || isQuiet) listen(after)
      else heardAt = Date.now()
      isQuiet = false
      return data === reply
    },
    ask() {
      if (!socket) return false
      atOnce = true
      ask(awake)
      return true
    },
    isQuiet: () => isQuiet,
    end() {
      clearTimeout(timer)
      dueAt = 0
      hasBegun = false
      socket = null
    },
  }
}
