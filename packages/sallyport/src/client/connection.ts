import { resolveAddress } from './address.ts'
import { createBackoff } from './backoff.ts'
import { actionOf } from './close-codes.ts'
import { createListeners, type Off } from './listeners.ts'
import { requireName, requireOptions } from './option-checks.ts'
import type { ConnectionState, ConnectOptions, Lifecycle, SocketLike, TypedMessage } from './options.ts'
import { askToken, asSubprotocol, fetchTicket, type TicketOutcome } from './ticket.ts'

/** A connection that mends itself. `Out` and `In` are unions of messages told apart by `type`. */
export interface Connection<Out extends TypedMessage, In extends TypedMessage> {
  readonly state: ConnectionState
  /** Incoming messages that were no JSON objects with a `type`. */
  readonly ignored: number
  /** False when the message neither went out nor was kept. While resting it connects again, and the message that wakes it is kept. */
  send(message: Out): boolean
  /** Called with every message of this type. */
  on<Type extends In['type']>(type: Type, listener: (message: Extract<In, { readonly type: Type }>) => void): Off
  /** Called with every message. */
  onMessage(listener: (message: In) => void): Off
  /** Called with what happens to the connection; these names and those of messages never meet. */
  when<Name extends keyof Lifecycle>(name: Name, listener: (what: Lifecycle[Name]) => void): Off
  /** Connects now, if there is no connection: after `signin`, `idle`, `stop`, or instead of waiting. */
  open(): void
  /** Ends the connection for good; messages that were kept are forgotten. */
  close(): void
}

/** A connection that held this long, in ms, or brought a message, is good: the next wait is short again. */
const GOOD_AFTER_MS = 10_000
/** Longest wait for the handshake, and for the answer to a first message, in ms. */
const PATIENCE_MS = 15_000
/** Shortest wait after the server said that it is too much, in ms. */
const SLOW_MS = 5000
/** `WebSocket.OPEN`. */
const OPEN = 1
/** Unsent bytes beyond which `send` answers false. */
const MAX_BUFFERED = 1 << 20

/**
 * Connects and keeps connected: fetches a ticket for every attempt, offers it, backs off with full jitter, and obeys close
 * codes. Connects on the next turn, so that listeners can be set first. Throws `TypeError` for a URL that must not
 * get a ticket, and for options that would be ignored or that every attempt would fail by.
 */
export function connect<Out extends TypedMessage = TypedMessage, In extends TypedMessage = TypedMessage>(
  url: string | URL,
  options: ConnectOptions = {},
): Connection<Out, In> {
  requireOptions(options)
  const { ticket = '/.sallyport/ticket', carrier = 'subprotocol', protocols = ['sallyport.v1'], queue = 0 } = options
  const address = resolveAddress(url, ticket, options.dangerouslyCrossOrigin === true)
  const backoff = createBackoff(options.backoff)
  const messages = createListeners()
  const everything = createListeners()
  const lifecycle = createListeners()
  let kept: string[] = []
  let state: ConnectionState = 'closed'
  let ignored = 0
  /** What belongs to an attempt that is over is told by its number. */
  let attempt = 0
  let socket: SocketLike | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  /** The server asked for this wait: coming online does not shorten it. */
  let ordered = false

  const enter = (next: ConnectionState): void => {
    if (state === next) return
    state = next
    lifecycle.emit('state', next)
  }

  const wake = (): void => {
    if (state === 'waiting' && !ordered && globalThis.document?.visibilityState !== 'hidden') start()
  }
  const watch = (verb: 'addEventListener' | 'removeEventListener'): void => {
    globalThis[verb]?.('online', wake)
    globalThis.document?.[verb]('visibilitychange', wake)
  }

  /** Whatever is under way ends, unheard. */
  const abandon = (): number => {
    clearTimeout(timer)
    const old = socket
    socket = null
    attempt++
    old?.close(1000)
    return attempt
  }

  const finish = (name: 'signin' | 'idle' | 'stop' | 'error' | null, code = 0): void => {
    abandon()
    watch('removeEventListener')
    // What one user wrote is not sent in the name of the next.
    if (name !== 'idle') kept = []
    enter(name === 'idle' ? 'resting' : 'closed')
    if (name) lifecycle.emit(name, name === 'stop' || name === 'error' ? { code } : undefined)
  }

  const retry = (floor: number): void => {
    const own = abandon()
    const delayMs = backoff.next(floor)
    ordered = floor > 0
    timer = setTimeout(start, delayMs)
    enter('waiting')
    if (own === attempt) lifecycle.emit('retry', { delayMs })
  }

  const ended = (code: number, reason: string): void => {
    const own = abandon()
    lifecycle.emit('close', { code, reason })
    // A listener may have closed or opened.
    if (own !== attempt) return
    const action = actionOf(code, reason)
    if (action === 'reconnect') retry(0)
    else if (action === 'slow') retry(SLOW_MS)
    else finish(action === 'rest' ? 'idle' : action, code)
  }

  const opened = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => backoff.reset(), GOOD_AFTER_MS)
    const unsent = kept
    kept = []
    for (const text of unsent) socket?.send(text)
    enter('open')
    lifecycle.emit('open')
  }

  const received = (data: unknown): void => {
    let message: (TypedMessage & { readonly code?: unknown }) | null = null
    try {
      message = JSON.parse(data as string)
    } catch {
      // Counted below.
    }
    if (typeof data !== 'string' || typeof message?.type !== 'string' || Array.isArray(message)) {
      ignored++
      return
    }
    const { type, code } = message
    if (type === 'error' && typeof code === 'string') lifecycle.emit('denied', { code })
    else if (state === 'open') {
      backoff.reset()
      messages.emit(type, message)
      everything.emit('', message)
    } else if (type === 'authenticated') opened()
    else ignored++
  }

  const dial = (own: number, token: string | null): void => {
    const target = new URL(address.socket)
    const offered = [...protocols]
    if (token !== null && carrier === 'query') target.searchParams.set(options.parameter ?? 'ticket', token)
    if (token !== null && carrier === 'subprotocol') offered.push(asSubprotocol(token))
    const Socket = options.WebSocket ?? globalThis.WebSocket
    let made: SocketLike
    try {
      made = new Socket(target.href, offered)
    } catch {
      // The exception of some browsers quotes the subprotocol, and with it the ticket.
      finish('error')
      return
    }
    socket = made
    const mine = (act: () => void) => (): void => {
      if (own === attempt) act()
    }
    timer = setTimeout(
      mine(() => ended(1006, '')),
      PATIENCE_MS,
    )
    made.addEventListener(
      'open',
      mine(() => {
        if (token !== null && carrier === 'first-message') {
          made.send(JSON.stringify({ type: 'auth', csrfToken: token }))
        } else opened()
      }),
    )
    made.addEventListener('message', event => mine(() => received(event.data))())
    made.addEventListener('close', event => mine(() => ended(event.code, event.reason))())
    // A close follows; without a listener `ws` throws.
    made.addEventListener('error', () => {})
  }

  const start = (): void => {
    const own = abandon()
    enter('connecting')
    const proceed = (outcome: TicketOutcome | null): void => {
      if (own !== attempt) return
      if (outcome === null || 'token' in outcome) dial(own, outcome && outcome.token)
      else if (outcome.fault === 'retry') retry(outcome.after)
      else finish(outcome.fault, outcome.status)
    }
    const asked = address.ticket
      ? fetchTicket(address.ticket, options.fetch ?? globalThis.fetch)
      : typeof ticket === 'function'
        ? askToken(ticket)
        : Promise.resolve(null)
    void asked.then(proceed)
  }

  const open = (): void => {
    if (state === 'open' || state === 'connecting') return
    if (state !== 'waiting') watch('addEventListener')
    start()
  }

  const connection: Connection<Out, In> = {
    get state() {
      return state
    },
    get ignored() {
      return ignored
    },
    send(message) {
      const text = JSON.stringify(message)
      if (!text?.startsWith('{"')) throw new TypeError('a message is an object')
      if (state === 'open' && socket?.readyState === OPEN) {
        if (socket.bufferedAmount > MAX_BUFFERED) return false
        socket.send(text)
        return true
      }
      const resting = state === 'resting'
      const room = resting ? Math.max(1, queue) : queue
      if (state === 'closed' || kept.length >= room) return false
      kept.push(text)
      if (resting) open()
      return true
    },
    on: (type, listener) => messages.on(type, listener),
    onMessage: listener => everything.on('', listener),
    when(name, listener) {
      requireName(name)
      return lifecycle.on(name, listener)
    },
    open,
    close: () => finish(null),
  }
  open()
  return connection
}
