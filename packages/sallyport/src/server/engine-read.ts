import type { Socket } from 'node:net'

/** Who a socket's bytes go to. */
export interface Reader {
  /** @returns false when the reader is paused and keeps what it did not take */
  read(chunk: Buffer, start: number, end: number, owned: boolean): boolean
  ended(): void
  gone(): void
}

/** Reads a socket by its events: one listener each, none of them a closure over a message. */
export function readFrom(socket: Socket, reader: Reader): void {
  socket.on('data', (chunk: Buffer) => void reader.read(chunk, 0, chunk.length, true))
  socket.on('end', () => reader.ended())
  socket.on('close', () => reader.gone())
  socket.resume()
}
