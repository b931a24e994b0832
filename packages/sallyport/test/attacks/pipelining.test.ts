import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { type ServerOptions, WebSocketServer } from 'ws'
import { createHost } from '../adapters/ws-host.ts'
import { answerOf, dial, handshakeText } from '../support/raw-client.ts'
import type { ToldEvents } from '../support/told-events.ts'
import { createWorld } from '../support/world.ts'

/** A guarded server whose plain answers are the test's own. */
interface Scene extends ToldEvents {
  readonly port: number
  /** The answer to the next plain request. */
  answers(): Promise<ServerResponse>
  opened(): number
  close(): Promise<void>
}
type Start = () => Promise<Scene>

const open = { session: { dangerouslyAnonymous: true }, ticket: { dangerouslyWithoutTicket: true } }

function requests(): Pick<Scene, 'answers'> & { readonly listener: RequestListener } {
  const waiting: ((answer: ServerResponse) => void)[] = []
  return {
    answers: () => new Promise(resolve => waiting.push(resolve)),
    listener: (_request, response) => waiting.shift()!(response),
  }
}

const served: Start = async () => {
  const { answers, listener } = requests()
  const world = await createWorld({ handshake: open }, { request: listener })
  return { ...world, answers, opened: () => world.guard.counters().opened }
}

/** An app's own server, with a `WebSocketServer` put on it in the way that the docs show. */
const ofApp =
  (attach: (host: Awaited<ReturnType<typeof createHost>>) => void): Start =>
  async () => {
    const host = await createHost()
    const { answers, listener } = requests()
    host.server.removeAllListeners('request').on('request', listener)
    attach(host)
    return { ...host, answers, opened: () => host.guard.counters().opened }
  }

const SERVERS: readonly (readonly [name: string, start: Start])[] = [
  ['serve()', served],
  [
    'guard.ws()',
    ofApp(({ server, guard }) => void new WebSocketServer({ server, ...guard.ws() } as unknown as ServerOptions)),
  ],
  [
    'guard.upgrade()',
    ofApp(({ server, guard }) => {
      const sockets = new WebSocketServer({ noServer: true, ...guard.ws() } as unknown as ServerOptions)
      server.on('upgrade', guard.upgrade(sockets, '/ws'))
    }),
  ],
]

const PLAIN = 'GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'

for (const [name, start] of SERVERS) {
  describe(`${name}: what comes behind a request that is not answered yet`, () => {
    /** Sends both, and tells what the peer gets until the connection ends. */
    async function pipelined(behind: (port: number) => string, begin: boolean, parts = 2): Promise<string> {
      const scene = await start()
      const answering = scene.answers()
      const socket = await dial(scene.port)
      const answer = answerOf(socket)
      if (parts === 1) socket.write(PLAIN + behind(scene.port))
      else socket.write(PLAIN)
      const response = await answering
      if (begin) {
        response.writeHead(200, { 'Content-Length': 100 })
        response.write('half of the answer')
      }
      const over = once(response, 'close')
      if (parts === 2) socket.write(behind(scene.port))
      const { text, ended } = await answer
      assert.ok(ended)
      await over
      response.end('the other half')
      assert.equal(scene.opened(), 0)
      const codes = scene.events.filter(({ kind }) => kind === 'denial').map(({ code }) => code)
      assert.ok(codes.every(code => code === 'SALLY_REQUEST_MALFORMED'))
      await scene.close()
      return text
    }
    const handshake = (port: number): string => handshakeText({ port })
    const foreign = (port: number): string =>
      handshakeText({ port, replace: { origin: 'Origin: http://evil.example' } })

    test('smuggling: a handshake in the middle of an answer is cut without a word, nothing is opened', async () => {
      assert.match(await pipelined(handshake, true), /\r\n\r\nhalf of the answer$/)
    })

    test('a handshake that would be refused anyhow adds nothing to the answer', async () => {
      assert.match(await pipelined(foreign, true), /\r\n\r\nhalf of the answer$/)
    })

    test('smuggling: nor does one with a body that never comes, whose stream is no socket since Node 26', async () => {
      const bodied = (port: number): string => handshakeText({ port, add: ['Content-Length: 5'] })
      assert.match(await pipelined(bodied, true), /\r\n\r\nhalf of the answer$/)
    })

    test('smuggling: what is no HTTP adds nothing to the answer', async () => {
      assert.match(await pipelined(() => 'no HTTP\r\n\r\n', true), /\r\n\r\nhalf of the answer$/)
    })

    for (const parts of [1, 2]) {
      test(`a handshake before the answer has begun is refused once, in ${parts === 1 ? 'one read' : 'two'}`, async () => {
        const text = await pipelined(handshake, false, parts)
        assert.match(text, /^HTTP\/1\.1 400 [^]*\{"code":"SALLY_REQUEST_MALFORMED"\}$/)
        assert.equal(text.split('HTTP/1.1').length, 2)
      })
    }

    test('behind an answer that is whole it is served', async () => {
      const scene = await start()
      const answering = scene.answers()
      const socket = await dial(scene.port)
      socket.write(PLAIN)
      const response = await answering
      response.end('whole')
      await once(socket, 'data')
      const answer = answerOf(socket)
      socket.write(handshake(scene.port))
      assert.equal((await answer).status, 101)
      await scene.close()
    })
  })
}

/** As `@fastify/websocket` does it: a handshake is routed as any request is, with an answer of its own on its socket. */
async function routed(route: (answer: ServerResponse, upgrade: () => void) => void): Promise<Scene> {
  const start = ofApp(({ server, guard }) => {
    const sockets = new WebSocketServer({ noServer: true, ...guard.ws() } as unknown as ServerOptions)
    server.on('upgrade', (request, socket, head) => {
      const answer = new ServerResponse(request)
      answer.assignSocket(socket as Socket)
      route(answer, () => sockets.handleUpgrade(request, socket, head, () => undefined))
    })
  })
  return start()
}

describe('guard.ws() behind an app’s router', () => {
  test('a handshake that has an answer of its own is served', async () => {
    const scene = await routed((_answer, upgrade) => upgrade())
    const socket = await dial(scene.port)
    const answer = answerOf(socket)
    socket.write(handshakeText({ port: scene.port }))
    assert.equal((await answer).status, 101)
    assert.equal(scene.opened(), 1)
    await scene.close()
  })

  test('one that the app has begun to answer opens nothing, and adds nothing to the answer', async () => {
    const scene = await routed((answer, upgrade) => {
      answer.writeHead(200, { 'Content-Length': 100 })
      answer.write('half of the answer', upgrade)
    })
    const socket = await dial(scene.port)
    const answer = answerOf(socket)
    socket.write(handshakeText({ port: scene.port }))
    const { text, ended } = await answer
    assert.ok(ended)
    assert.match(text, /\r\n\r\nhalf of the answer$/)
    assert.equal(scene.opened(), 0)
    await scene.close()
  })
})
