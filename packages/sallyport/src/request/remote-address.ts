import type { Socket } from 'node:net'

/** What the peer at a unix socket is called, for it has no address: nginx's word for it (`set_real_ip_from unix:`). */
export const UNIX_PEER = 'unix:'

/** What of a socket is not in its types: what it reads from; over TLS that stands on another. */
interface Handled extends Socket {
  readonly _handle?: (object & { readonly _parent?: object }) | null
}

/** The address of a socket's peer; {@link UNIX_PEER} for one that came by a unix socket; empty for one that is gone. */
export function remoteOf(socket: Socket): string {
  const { remoteAddress } = socket
  if (remoteAddress !== undefined) return remoteAddress
  // A peer of TCP that has reset has no address any more either, and is not to be taken for a local one.
  const { _handle: handle } = socket as Handled
  const isPipe = (handle?._parent ?? handle)?.constructor.name === 'Pipe'
  // A named pipe of Windows may be opened from another machine.
  return isPipe && process.platform !== 'win32' ? UNIX_PEER : ''
}
