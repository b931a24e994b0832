import type { ClientRequest, IncomingMessage } from 'node:http'
import { evidenceOf, type Failure, failure } from '../upstream/failure.ts'
import type { Address } from '../upstream/backend.ts'

/** One plain HTTP request on its way to a backend, until the head of the answer is there. */
export interface Exchange {
  /** The head of the answer has come: from now on the backend may take as long as it likes. */
  readonly isAnswered: boolean
  /** It goes out by this request of ours. */
  sends(outgoing: ClientRequest): void
  answered(): void
  /** Nobody waits for it any more. */
  end(): void
  /** What an error before the head of the answer was. */
  failureOf(error: NodeJS.ErrnoException, address: Address): Failure
  /** Whether the backend had closed a connection that was kept open for the next request: nothing of this one was read. */
  isStale(error: NodeJS.ErrnoException): boolean
}

/**
 * Follows a request. The time for the head begins when the request is sent whole; while its body is sent, each step starts
 * it again. A body of the answer has no bound: what streams may be silent for long.
 *
 * @param onAnswer is called once, when the head is there
 */
export function createExchange(timeoutMs: number, onAnswer: () => void): Exchange {
  let outgoing: ClientRequest | null = null
  let isAnswered = false
  let isLate = false
  let sentBytes = 0

  const onTime = (): void => {
    const bytes = outgoing?.socket?.bytesWritten ?? 0
    if (outgoing !== null && !outgoing.writableFinished && bytes !== sentBytes) {
      sentBytes = bytes
      timer.refresh()
    } else {
      // What came while the event loop was busy is read first.
      setImmediate(() => {
        if (isAnswered) return
        isLate = true
        outgoing?.destroy()
      })
    }
  }
  const timer = setTimeout(onTime, timeoutMs)

  return {
    get isAnswered() {
      return isAnswered
    },
    sends(request) {
      outgoing = request
      request.once('finish', () => {
        if (!isAnswered) timer.refresh()
      })
      refuseSwitch(request)
    },
    answered() {
      if (isAnswered) return
      isAnswered = true
      clearTimeout(timer)
      onAnswer()
    },
    end: () => clearTimeout(timer),
    failureOf(error, { label }) {
      const cause = error.code ?? error.name
      if (isLate) {
        return failure('GATEWAY_UPSTREAM_TIMEOUT', `no answer of ${label} within ${timeoutMs} ms`)
      }
      // Node refused to send it: the request is the cause.
      if (outgoing === null) return failure('GATEWAY_UPSTREAM_UNREACHABLE', cause, { evidence: 'nothing' })
      if (!isConnectError(error)) {
        const evidence = this.isStale(error) ? 'nothing' : evidenceOf(error, true)
        return failure('GATEWAY_UPSTREAM_BROKEN', `the backend broke off before it answered (${cause})`, { evidence })
      }
      const evidence = evidenceOf(error, false)
      return failure('GATEWAY_UPSTREAM_UNREACHABLE', `${cause} at ${label}`, { evidence })
    },
    isStale: ({ code }) => outgoing?.reusedSocket === true && (code === 'ECONNRESET' || code === 'EPIPE'),
  }
}

/** Nobody asked for another protocol, and no request is answered by one. */
function refuseSwitch(request: ClientRequest): void {
  request.once('upgrade', (_answer, socket) => {
    socket.destroy()
    request.emit('error', Object.assign(new Error('the backend switches protocols'), { code: 'SWITCHED' }))
  })
}

/** Whether a request may be sent once more: it has no body, and asks for nothing but an answer (RFC 9110 §9.2.1). */
export function isRepeatable({ method, headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
  return /^(?:GET|HEAD|OPTIONS)$/.test(method ?? '') && coding === undefined && Number(length) === 0
}

function isConnectError(error: NodeJS.ErrnoException): boolean {
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo' || 'errors' in error
}
