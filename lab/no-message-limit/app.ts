import { WebSocketServer } from 'ws'
import { exhibit } from '../ground/exhibit.ts'
import type { Ground } from '../ground/ground.ts'

const KEPT = 200

/** A chat that keeps its last 200 messages, for whoever comes later. */
export function start(ground: Ground): void {
  const { server, signIn, user } = ground
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const history = ['ann: The meeting is in room 4.']
  exhibit(ground, history)

  // FLAW: whoever may speak may speak without end, and on as many connections.
  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    const account = user(request)
    if (account === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'say') {
        history.push(`${account.name}: ${message.text}`)
        if (history.length > KEPT) history.shift()
        socket.send(JSON.stringify({ type: 'said' }))
      }
      if (message.type === 'getHistory') {
        socket.send(JSON.stringify({ type: 'history', history }))
      }
    })
  })
}
