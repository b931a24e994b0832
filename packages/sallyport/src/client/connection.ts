import { resolveAddress } from './address.ts'
import { createBackoff } from './backoff.ts'
import { actionOf } from './close-codes.ts'
import { createHeartbeat } from './heartbeat.ts'
import { createListeners, isHidden, type Off, watchPage } from './listeners.ts'
import { requireName, requireOptions } from './option-checks.ts'
import type { Bytes, ConnectionState, ConnectOptions, Lifecycle, Message, SocketLike, TypedMessage } from './options.ts'
import { askToken, asSubprotocol, fetchTicket, type TicketOutcome } from './ticket-source.ts'

/** A connection that mends itself. `Out` and `In` are unions of messages told apart by the key `D`. */
export interface Connection<Out extends Message<D>, In extends Message<D>, D extends string = 'type'> {
  readonly state: ConnectionState
  /** Incoming messages that were no JSON objects with a type, and binary ones without the option `binary`. */
  readonly ignored: number
  /**
   * False when the message neither went out nor was kept, as on a connection that is known to be dead. While resting it
   * connects again, and the message that wakes it is kept. Bytes need the option `binary`.
   */
  send(message: Out | Bytes): boolean
  /** Called with every message of this type. */
  on<Type extends In[D]>(type: Type, listener: (message: Extract<In, { readonly [key in D]: Type }>) => void): Off
  /** Called with every message. */
  onMessage(listener: (message: In) => void): Off
  /** Called with every binary message; needs the option `binary`. */
  onBinary(listener: (bytes: ArrayBuffer) => void): Off
  /** Called with what happens to the connection; these names and those of messages never meet. */
  when<Name extends keyof Lifecycle>(name: Name, listener: (what: Lifecycle[Name]) => void): Off
  /**
   * Connects now, if there is no connection: after `signin`, `idle`, `stop`, or instead of waiting. One that seems open is
   * asked whether it lives, and replaced if nothing comes; where the server cannot be asked it is replaced after 20 s of silence.
   */
  open(): void
  /** Ends the connection permanently; messages that were kept are forgotten. */
  close(): void
}

/** After this long, in ms, a connection is good: the next wait is short again. A greeting alone proves nothing. */
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
 * Connects and keeps connected: fetches a ticket for every attempt, offers it, backs off with full jitter, obeys close
 * codes, and notices when nothing comes through any more. Connects on the next turn, so that listeners can be set first.
 * Throws `TypeError` for a URL of another origin than the page's, and for options that would be ignored or that every
 * attempt would fail by.
 */
export function connect<Out extends TypedMessage = TypedMessage, In extends TypedMessage = TypedMessage>(
  url: string | URL,
  options?: ConnectOptions,
): Connection<Out, In>
export function connect<Out extends Message<D>, In extends Message<D>, D extends string>(
  url: string | URL,
  options: ConnectOptions<D> & { readonly discriminator: D },
): Connection<Out, In, D>
export function connect<Out extends Message<D>, In extends Message<D>, D extends string>(
  url: string | URL,
  options: ConnectOptions<D> = {},
): Connection<Out, In, D> {
  requireOptions(options)
  const { ticket = '/.sallyport/ticket', carrier = 'subprotocol', protocols = ['sallyport.v1'], queue = 0 } = options
  const { discriminator = 'type', binary = false } = options
  const address = resolveAddress(url, ticket, options.dangerouslyCrossOrigin === true)
  const backoff = createBackoff(options.backoff)
  const messages = createListeners()
  const everything = createListeners()
  const binaries = createListeners()
  const lifecycle = createListeners()
  let kept: (string | ArrayBuffer)[] = []
  let state: ConnectionState = 'closed'
  let ignored = 0
  /** What belongs to an attempt that is over is told by its number. */
  let attempt = 0
  let socket: SocketLike | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  /** The server asked for this wait: coming online does not shorten it. */
  let ordered = false
  const heartbeat = createHeartbeat(options.heartbeat, atOnce => ended(1006, 'SALLY_HEARTBEAT_LOST', atOnce))

  const enter = (next: ConnectionState): void => {
    if (state === next) return
    state = next
    lifecycle.emit('state', next)
  }

  /** A page that listens comes back after an idle close, while somebody sees it. */
  const isWanted = (): boolean => !isHidden() && [messages, everything, binaries].some(one => one.any())

  const wake = ({ type }: Event): void => {
    if (state === 'open') {
      if (!isHidden() || type === 'online') heartbeat.ask()
    } else if (state === 'waiting' ? !ordered && !isHidden() : state === 'resting' && isWanted()) start()
  }

  /** Whatever is under way ends, unheard. */
  const abandon = (): number => {
    clearTimeout(timer)
    heartbeat.end()
    const old = socket
    socket = null
    attempt++
    old?.close(1000)
    return attempt
  }

  const finish = (name: 'signin' | 'idle' | 'stop' | 'error' | null, code = 0): void => {
    abandon()
    if (name !== 'idle') {
      watchPage('removeEventListener', wake)
      // What one user wrote is not sent in the name of the next.
      kept = []
    }
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

  const ended = (code: number, reason: string, atOnce = false): void => {
    const own = abandon()
    lifecycle.emit('close', { code, reason })
    // A listener may have closed or opened.
    if (own !== attempt) return
    const action = actionOf(code, reason)
    // The next session may be another user's.
    if (code === 4401 && !reason.startsWith('SALLY_AUTHENTICATION_')) kept = []
    if (atOnce) start()
    else if (action === 'slow') retry(SLOW_MS)
    else if (action === 'reconnect' || (action === 'signin' && ticket !== false)) retry(0)
    else if (action !== 'rest') finish(action, code)
    else if (isWanted()) retry(0)
    else finish('idle')
  }

  const opened = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => backoff.reset(), GOOD_AFTER_MS)
    const unsent = kept
    kept = []
    for (const data of unsent) socket?.send(data)
    if (socket) heartbeat.begin(socket)
    enter('open')
    lifecycle.emit('open')
  }

  const received = (data: unknown): void => {
    if (heartbeat.heard(data)) return
    const isText = typeof data === 'string'
    if (binary && state === 'open' && !isText) {
      binaries.emit('', data)
      return
    }
    let message: { readonly [key: string]: unknown } | null = null
    try {
      message = isText && JSON.parse(data)
    } catch {
      // Counted below.
    }
    const type = typeof message === 'object' && !Array.isArray(message) ? message?.[discriminator] : null
    if (state !== 'open' && message?.['type'] === 'authenticated') opened()
    else if (type === 'error' && typeof message?.['code'] === 'string') {
      lifecycle.emit('denied', { code: message['code'] })
    } else if (state === 'open' && typeof type === 'string') {
      messages.emit(type, message)
      everything.emit('', message)
    } else ignored++
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
    if (binary) made.binaryType = 'arraybuffer'
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
    if (state === 'connecting') return
    if (state === 'open') {
      if (heartbeat.ask() || !heartbeat.isQuiet()) return
      const own = abandon()
      lifecycle.emit('close', { code: 1006, reason: '' })
      if (own !== attempt) return
    }
    watchPage('addEventListener', wake)
    start()
  }

  const connection: Connection<Out, In, D> = {
    get state() {
      return state
    },
    get ignored() {
      return ignored
    },
    send(message) {
      const isBytes = message instanceof ArrayBuffer || ArrayBuffer.isView(message)
      const data = isBytes ? message : JSON.stringify(message)
      if (isBytes && !binary) throw new TypeError('bytes need the option binary: true')
      if (typeof data === 'string' ? !data.startsWith('{"') : !isBytes) throw new TypeError('a message is an object')
      if (state === 'open' && socket?.readyState === OPEN) {
        if (socket.bufferedAmount > MAX_BUFFERED) return false
        socket.send(data)
        return true
      }
      const resting = state === 'resting'
      const room = resting ? Math.max(1, queue) : queue
      if (state === 'closed' || kept.length >= room) return false
      // What is kept must stay as it is.
      kept.push(typeof data === 'string' ? data : bytesOf(data))
      if (resting) open()
      return true
    },
    on: (type, listener) => messages.on(type, listener),
    onMessage: listener => everything.on('', listener),
    onBinary: listener => binaries.on('', listener),
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

/** A copy. */
function bytesOf(data: Bytes): ArrayBuffer {
  if (data instanceof ArrayBuffer) return data.slice(0)
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)
}
