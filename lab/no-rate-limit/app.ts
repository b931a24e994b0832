import { randomInt } from 'node:crypto'
import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** A safe for each user, behind a PIN that the app chose. */
export function start({ server, signIn, user, accounts }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const pins = new Map([...accounts.keys()].map(name => [name, String(randomInt(1000, 10_000))]))

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString())
      if (message.type === 'openSafe') {
        // FLAW: four digits are plenty against a person, and nothing against whoever may ask 10 000 times.
        const opens = pins.get(message.owner) === message.pin
        const contents = opens ? accounts.get(message.owner)?.privateMessages : null
        socket.send(JSON.stringify({ type: 'safe', contents }))
      }
    })
  })
}
