import { setImmediate } from 'node:timers/promises'
import type { SocketLike } from '../../src/client/index.ts'

type Listener = (event: never) => void

/** A WebSocket whose far end is the test. */
export class FakeSocket implements SocketLike {
  readonly url: string
  readonly protocols: readonly string[]
  readonly sent: string[] = []
  protocol = ''
  binaryType = 'blob'
  bufferedAmount = 0
  readyState = 0
  closedWith: number | undefined
  /** What the far end does with what is sent. */
  onSend: ((text: string) => void) | undefined
  readonly #listeners = new Map<string, Listener[]>()

  constructor(url: string, protocols: string[] = []) {
    this.url = url
    this.protocols = protocols
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  #fire(type: string, event: object = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never)
  }

  send(text: string): void {
    this.sent.push(text)
    this.onSend?.(text)
  }

  close(code?: number): void {
    this.closedWith ??= code
    this.readyState = 2
  }

  accept(protocol = ''): void {
    this.protocol = protocol
    this.readyState = 1
    this.#fire('open')
  }

  say(data: unknown): void {
    this.#fire('message', { data: typeof data === 'string' ? data : JSON.stringify(data) })
  }

  sayRaw(data: unknown): void {
    this.#fire('message', { data })
  }

  end(code: number, reason = ''): void {
    this.readyState = 3
    this.#fire('close', { code, reason })
  }
}

/** A class of fake sockets and all that were made of it. */
export function fakeSockets(): { readonly WebSocket: typeof FakeSocket; readonly made: FakeSocket[] } {
  const made: FakeSocket[] = []
  const WebSocket = class extends FakeSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols)
      made.push(this)
    }
  }
  return { WebSocket, made }
}

/** Lets everything that is only waiting for promises happen. */
export async function settle(): Promise<void> {
  await setImmediate()
  await setImmediate()
}
