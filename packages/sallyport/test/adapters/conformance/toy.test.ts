// A way in that only the exported contract is known to: it passes what every other way in passes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { adapterConformance } from './adapter-conformance.ts'
import { createHost } from './http-host.ts'
import { queue } from './queue.ts'
import { serveLines } from './toy-adapter.ts'
import { type Client, type Dialling, Refused } from './way-in.ts'

const PATH = '/lines'

adapterConformance({
  name: 'lines over TCP, by the exported contract',
  cannot: {
    frames: 'a line is a whole message',
    binary: 'a line is text',
  },
  async start(part) {
    const host = await createHost(part)
    const { port, origin, guard, app, events, event } = host
    const server = createServer()
    serveLines(server, guard, {
      message: (subject, connection) => app.handle(subject.value, connection),
      closed: (_connection, code) => app.closed(code),
    })
    server.listen(port, 'localhost')
    await once(server, 'listening')
    const clients = new Set<Client>()
    return {
      origin,
      guard,
      events,
      event,
      app: app.record,
      async ticket(sid) {
        const answer = await guard.ticket(
          new Request(`${origin}/.sallyport/ticket?path=${PATH}`, {
            method: 'POST',
            headers: { origin, cookie: `sid=${sid}` },
          }),
          { ip: '127.0.0.1' },
        )
        return ((await answer.json()) as { readonly ticket: string }).ticket
      },
      async dial(dialling) {
        const client = await dialLines(port, dialling)
        clients.add(client)
        return client
      },
      async close() {
        for (const client of clients) client.cut()
        await guard.drain({ withinMs: 0 })
        await new Promise(resolve => server.close(resolve))
      },
    }
  },
})

async function dialLines(port: number, { origin, sid, ticket, answersPings = true }: Dialling): Promise<Client> {
  const socket = connect({ port, host: 'localhost', noDelay: true })
  socket.on('error', () => undefined)
  const gone = new Promise(resolve => void socket.once('close', resolve))
  const write = (line: string): void => void socket.write(`${line}\n`)
  const inbox = queue<string>()
  const pings = queue<void>()
  const opened = Promise.withResolvers<void>()
  let code = 1006
  const take = (line: string): void => {
    if (/^\d/.test(line)) {
      if (line === '200') opened.resolve()
      else opened.reject(new Refused(Number(line.slice(0, 3)), line.slice(4)))
    } else if (line.startsWith('m')) inbox.put(line.slice(1))
    else if (line.startsWith('i')) {
      pings.put()
      if (answersPings) write('o')
    } else if (line.startsWith('c')) {
      code = Number(line.slice(1))
      write(line)
    }
  }
  let rest = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) take(line)
  })
  const headers = {
    host: `localhost:${port}`,
    ...(origin !== null && { origin }),
    ...(sid !== null && { cookie: `sid=${sid}` }),
  }
  write(JSON.stringify({ path: ticket === null ? PATH : `${PATH}?ticket=${encodeURIComponent(ticket)}`, headers }))
  await opened.promise
  return {
    say: json => write(`m${json}`),
    sayBinary: impossible,
    next: async () => JSON.parse(await inbox.take()) as { readonly [key: string]: unknown },
    pinged: () => pings.take(),
    write: impossible,
    sayInFragments: impossible,
    stopReading: () => void socket.pause(),
    close: closeCode => write(`c${closeCode}`),
    cut: () => socket.destroy(),
    ended: gone.then(() => code),
  }
}

/** What lines have no form for. */
function impossible(): never {
  throw new Error('there is no such line')
}

test('the adapter is under 120 lines and imports exported names alone', () => {
  const source = readFileSync(new URL('toy-adapter.ts', import.meta.url), 'utf8')
  assert.ok(source.split('\n').length < 120)
  const imported = [...source.matchAll(/ from '([^']+)'/g)].map(([, name]) => name)
  assert.deepEqual(imported, ['node:net', 'sallyport', 'sallyport/adapter'])
})
