// An adapter for a toy transport: lines of text over TCP, by exported names alone. The first line of a client is its path
// and its headers as JSON. After that the first character of a line says what it is: `m` a message, `i` a ping, `o` a pong,
// `c` the close code.
import type { Server, Socket } from 'node:net'
import type { Guard, Session } from 'sallyport'
import { type Adapter, createAdapter, type Delivery, type GuardedConnection, type Transport } from 'sallyport/adapter'

const LONGEST_HELLO = 4_096
/** How long a peer has to answer a close line, in ms. */
const PATIENCE_MS = 1_000

/** Serves a guard on a TCP server. `delivery` gets what passed its doors. */
export function serveLines(server: Server, guard: Guard<Session, any>, delivery: Delivery): void {
  const adapter = createAdapter(guard)
  server.on('connection', socket => {
    socket.on('error', () => socket.destroy())
    let most = LONGEST_HELLO
    let rest = ''
    let onLine = (line: string): void => void greet(adapter, delivery, socket, line, setMost, takeLines)
    let onLong = (): void => void socket.destroy()
    // The kind stands before the message.
    const setMost = (bytes: number): void => void (most = bytes + 1)
    const takeLines = (lines: (line: string) => void, long: () => void): void => {
      onLine = lines
      onLong = long
    }
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      rest += chunk
      for (let end = rest.indexOf('\n'); end !== -1 && end <= most; end = rest.indexOf('\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 1)
        onLine(line)
      }
      if (rest.length > most) {
        rest = ''
        onLong()
      }
    })
  })
}

type TakeLines = (lines: (line: string) => void, long: () => void) => void

/** The handshake: asks the door, and answers. */
async function greet(
  adapter: Adapter,
  delivery: Delivery,
  socket: Socket,
  hello: string,
  setMost: (bytes: number) => void,
  takeLines: TakeLines,
): Promise<void> {
  // What comes before the answer ends it.
  takeLines(
    () => socket.destroy(),
    () => socket.destroy(),
  )
  let request: Request
  try {
    const { path, headers } = JSON.parse(hello) as { readonly path: string; readonly headers: Record<string, string> }
    request = new Request(new URL(path, `http://${headers['host']}`), { headers })
  } catch {
    return void socket.destroy()
  }
  const answer = await adapter.admit(adapter.fromWeb(request, socket.remoteAddress ?? ''), { upgrade: false })
  if (!answer.pass) return void socket.end(`${answer.status} ${answer.body}\n`, () => socket.destroy())
  if (socket.destroyed) return adapter.abandon(answer)
  const connection: GuardedConnection = adapter.open(answer, transportOf(socket, setMost), delivery)
  let code = 1006
  takeLines(
    line => {
      const kind = line[0]
      if (kind === 'm') connection.receive(line.slice(1))
      else if (kind === 'i') {
        connection.pinged()
        socket.write('o\n')
      } else if (kind === 'o') connection.ponged()
      else if (kind === 'c') {
        code = Number(line.slice(1))
        connection.closing()
        socket.end(`${line}\n`)
      } else breakOff(1002, 'a line of no kind')
    },
    () => breakOff(1009, 'a line over the bound'),
  )
  const breakOff = (closeCode: number, detail: string): void => {
    connection.violation(closeCode, detail)
    socket.end(`c${closeCode}\n`, () => socket.destroy())
  }
  socket.once('close', () => connection.closed(code))
  socket.write('200\n')
  connection.begin()
}

function transportOf(socket: Socket, limit: (bytes: number) => void): Transport {
  const write = (line: string): void => {
    if (socket.writable) socket.write(`${line}\n`)
  }
  return {
    get bufferedAmount() {
      return socket.writableLength
    },
    sendText: text => write(`m${text}`),
    // Lines carry text alone. The guard's policy says `json`, so that nothing else is sent.
    sendBinary: () => socket.destroy(),
    ping: () => write('i'),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close(code) {
      write(`c${code}`)
      setTimeout(() => socket.destroy(), PATIENCE_MS).unref()
    },
    terminate: () => void socket.destroy(),
    limit,
  }
}
