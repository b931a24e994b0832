import { DatabaseSync } from 'node:sqlite'
import { WebSocketServer } from 'ws'
import type { Ground } from '../ground/ground.ts'

/** A directory of users, out of a real database. */
export function start({ server, signIn, user, secret }: Ground): void {
  signIn({ httpOnly: true, secure: true, sameSite: 'lax' })
  const database = new DatabaseSync(':memory:')
  database.exec(`
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'mallory');
    CREATE TABLE private_messages (user INTEGER, text TEXT);`)
  database.prepare('INSERT INTO private_messages VALUES (1, ?)').run(`The safe's code is ${secret}`)

  const sockets = new WebSocketServer({ server, path: '/ws' })

  sockets.on('connection', (socket, request) => {
    if (user(request) === undefined) {
      socket.close(1008, 'Unauthorized')
      return
    }
    socket.on('message', (data: Buffer) => {
      const { type, userId } = JSON.parse(data.toString())
      if (type === 'getUser') {
        // FLAW: userId becomes a part of the query. Nobody said that it is a number.
        const users = database.prepare(`SELECT id, name FROM users WHERE id = ${userId}`).all()
        socket.send(JSON.stringify({ type: 'user', users }))
      }
    })
  })
}
