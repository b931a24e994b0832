import { DatabaseSync } from 'node:sqlite'
import { createGuard } from 'sallyport'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import type { Ground } from '../ground/ground.ts'

/** A directory of users, out of a real database. */
export function start({ server, signIn, user, secret, origin, session, use }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const database = new DatabaseSync(':memory:')
  database.exec(`
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'mallory');
    CREATE TABLE private_messages (user INTEGER, text TEXT);`)
  database.prepare('INSERT INTO private_messages VALUES (1, ?)').run(`The safe's code is ${secret}`)

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session },
    message: { schema: { getUser: z.object({ type: z.literal('getUser'), userId: z.int().positive() }) } },
  })
  use(guard)
  const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const { type, userId } = JSON.parse(data.toString())
      if (type === 'getUser') {
        const users = database.prepare(`SELECT id, name FROM users WHERE id = ${userId}`).all()
        socket.send(JSON.stringify({ type: 'user', users }))
      }
    })
  })
}
