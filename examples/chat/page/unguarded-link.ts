import type { Outgoing } from '../src/messages.ts'
import type { Link, LinkListeners } from './link.ts'
import { socketUrl } from './link.ts'

const AGAIN_MS = 1000

/** The usual way: a bare WebSocket, and the cookie goes along by itself. */
export function openUnguardedLink(on: LinkListeners): Link {
  let socket: WebSocket
  let timer: ReturnType<typeof setTimeout> | undefined
  let ended = false
  const open = (): void => {
    on.state('connecting')
    socket = new WebSocket(socketUrl())
    socket.addEventListener('open', () => on.state('open'))
    socket.addEventListener('message', event => {
      const message = JSON.parse(String(event.data)) as Outgoing | { readonly type: 'error' }
      if (message.type === 'error') on.refused('error')
      else on.message(message)
    })
    socket.addEventListener('close', ({ code }) => {
      if (ended) return
      if (code === 1008 || code === 4401) on.state('ended')
      else timer = setTimeout(open, AGAIN_MS)
    })
  }
  open()
  return {
    send(message) {
      if (socket.readyState !== WebSocket.OPEN) return false
      socket.send(JSON.stringify(message))
      return true
    },
    close() {
      ended = true
      clearTimeout(timer)
      socket.close(1000)
    },
  }
}
