import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import { dial, exchange, handshakeText } from '../support/raw-client.ts'
import { chatSchema, closeOf, nextMessage, nextTexts, refusalOf } from '../support/world.ts'
import { createHost, guardFor, type Host } from './ws-host.ts'

async function started(t: TestContext, ...sections: Parameters<typeof createHost>): Promise<Host> {
  const host = await createHost(...sections)
  t.after(() => host.close())
  return host
}

const schema = { chat: chatSchema }
const textOf = (data: unknown): string => String(data)
const attach = (options: object): WebSocketServer => new WebSocketServer(options as ServerOptions)

test('two lines: an existing app’s listeners get what was checked, serialised anew', async t => {
  const { server, guard, open, client } = await started(t, { message: { schema } })
  const got: string[] = []
  const sockets = attach({ server, ...guard.ws() })
  sockets.on('connection', socket => {
    socket.on('message', (data, isBinary) => {
      assert.ok(Buffer.isBuffer(data) && !isBinary)
      got.push(textOf(data))
      socket.send(textOf(data))
    })
  })
  const socket = await open()
  socket.send('{ "admin": true, "type":"chat", "message":"hi" }')
  assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'hi' })
  socket.send('{"type":"admin"}')
  assert.deepEqual(await nextMessage(socket), { type: 'error', code: 'SALLY_MESSAGE_TYPE' })
  assert.deepEqual(got, ['{"type":"chat","message":"hi"}'])
  assert.equal(sockets.clients.size, 1)
  assert.equal(
    (await refusalOf(client('/', [], { origin: 'https://evil.example' }))).body,
    '{"code":"SALLY_ORIGIN_NOT_ALLOWED"}',
  )
})

test('onmessage, once and addEventListener hear no more than the door let in', async t => {
  const { server, guard, open } = await started(t, { message: { schema } })
  const got: string[] = []
  attach({ server, ...guard.ws() }).on('connection', socket => {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is what is tested
    socket.onmessage = ({ data }) => got.push(`on ${textOf(data)}`)
    socket.addEventListener('message', ({ data }) => got.push(`add ${textOf(data)}`))
    socket.once('message', data => got.push(`once ${textOf(data)}`))
    socket.on('message', () => socket.send('done'))
  })
  const socket = await open()
  const answers = nextTexts(socket, 3)
  for (const text of ['nonsense', '{"type":"chat","message":"a"}', '{"type":"chat","message":"b"}']) socket.send(text)
  await answers
  const [a, b] = ['{"type":"chat","message":"a"}', '{"type":"chat","message":"b"}']
  assert.deepEqual(got, [`on ${a}`, `add ${a}`, `once ${a}`, `on ${b}`, `add ${b}`])
})

for (const binaryType of ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const) {
  test(`binaryType ${binaryType}: the door reads the bytes, the listener gets its own kind`, async t => {
    const { server, guard, open } = await started(t, { message: { format: { data: 'any' } } })
    const got: unknown[] = []
    attach({ server, ...guard.ws() }).on('connection', socket => {
      Reflect.set(socket, 'binaryType', binaryType)
      assert.equal(socket.binaryType, binaryType)
      socket.on('message', data => {
        got.push(data)
        socket.send('done')
      })
    })
    const socket = await open()
    socket.send(Buffer.from([1, 2, 3]))
    await once(socket, 'message')
    const [data] = got
    const kinds = { nodebuffer: Buffer, arraybuffer: ArrayBuffer, fragments: Array, blob: Blob }
    assert.ok(data instanceof kinds[binaryType])
    const bytes = data instanceof Blob ? await data.arrayBuffer() : Array.isArray(data) ? Buffer.concat(data) : data
    assert.deepEqual([...new Uint8Array(bytes as ArrayBuffer)], [1, 2, 3])
  })
}

test('asynchronous listeners: counted, paused at the bound, their rejections contained', async t => {
  const { server, guard, open, event } = await started(t, {
    message: { format: { data: 'text' }, concurrency: { handlers: 2 } },
  })
  let running = 0
  let most = 0
  const gates: (() => void)[] = []
  attach({ server, ...guard.ws() }).on('connection', socket => {
    // oxlint-disable-next-line typescript/no-misused-promises -- as apps write it
    socket.on('message', async data => {
      most = Math.max(most, ++running)
      await new Promise<void>(resolve => gates.push(resolve))
      running--
      if (textOf(data) === '"bad"') throw new Error('S3cret of the app')
      socket.send(textOf(data))
    })
  })
  const socket = await open()
  const all = nextTexts(socket, 5)
  for (const text of ['"bad"', '1', '2', '3', '4']) socket.send(text)
  const pump = setInterval(() => gates.shift()?.(), 5)
  const answers = await all
  clearInterval(pump)
  assert.equal(most, 2)
  assert.deepEqual(answers, ['{"type":"error","code":"SALLY_HANDLER_FAILED"}', '1', '2', '3', '4'])
  assert.equal((await event(({ kind }) => kind === 'failure')).code, 'SALLY_HANDLER_FAILED')
  assert.doesNotMatch(JSON.stringify(await event(({ kind }) => kind === 'failure')), /S3cret/)
})

test('a listener that throws, and a broken peer without an error listener, end nobody else', async t => {
  const { server, guard, open, event } = await started(t, { message: { format: { data: 'text' } } })
  attach({ server, ...guard.ws() }).on('connection', socket => {
    socket.on('message', data => {
      if (textOf(data) === '"bad"') throw new Error('S3cret of the app')
      socket.send(textOf(data))
    })
  })
  const [broken, socket] = [await open(), await open()]
  socket.send('"bad"')
  assert.equal((await nextMessage(socket)).code, 'SALLY_HANDLER_FAILED')
  Reflect.get(broken, '_socket').write(Buffer.from([0xff, 0xff, 0xff]))
  assert.deepEqual(await closeOf(broken), { code: 1002, reason: 'SALLY_PROTOCOL_ERROR' })
  await event(({ code }) => code === 'SALLY_PROTOCOL_ERROR')
  socket.send('1')
  assert.equal(await nextMessage(socket), 1)
})

test('bytes that are no UTF-8 close, although the app turned ws’s own check off', async t => {
  const { server, guard, open } = await started(t)
  const got: unknown[] = []
  attach({ server, ...guard.ws(), skipUTF8Validation: true } as object).on('connection', socket =>
    socket.on('message', data => got.push(data)),
  )
  const socket = await open()
  socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false })
  assert.deepEqual(await closeOf(socket), { code: 1007, reason: 'SALLY_MESSAGE_NOT_UTF8' })
  assert.deepEqual(got, [])
})

test('ws.send with an outbound schema: unknown fields stay here, what does not match is not sent', async t => {
  const { server, guard, client, event } = await started(t, { message: { schema, outbound: schema } })
  const failures: (Error | undefined)[] = []
  attach({ server, ...guard.ws() }).on('connection', socket => {
    socket.send('{"type":"chat","message":"a","passwordHash":"S3cret"}')
    socket.send('{"type":"user","passwordHash":"S3cret"}', error => failures.push(error))
    socket.send('S3cret', { binary: false }, error => failures.push(error))
    socket.send(Buffer.from('S3cret'))
    socket.send('{"type":"chat","message":"b"}', error => failures.push(error))
  })
  const opened = client()
  const got: string[] = []
  opened.on('message', data => got.push(textOf(data)))
  await once(opened, 'open')
  opened.close()
  await closeOf(opened)
  assert.deepEqual(
    failures.map(error => error === undefined),
    [false, false, true],
  )
  assert.deepEqual(got, ['{"type":"chat","message":"a"}', '{"type":"chat","message":"b"}'])
  assert.equal((await event(({ code }) => code === 'SALLY_OUTBOUND_INVALID')).enforced, true)
})

test('first message: what the app sends early waits, and is never sent when authentication fails', async t => {
  const host = await started(t, {
    handshake: {
      session: (request: { cookie(name: string): string | undefined }) => ({
        id: request.cookie('sid') ?? 'x',
        user: 'ann',
      }),
      ticket: { carrier: 'first-message', csrf: (token: string) => token === 'right' },
    },
  })
  attach({ server: host.server, ...host.guard.ws() }).on('connection', socket => socket.send('"S3cret"'))
  const [honest, stranger] = [await host.open(), await host.open()]
  const got: unknown[] = []
  stranger.on('message', data => got.push(data))
  stranger.send('{"type":"auth","csrfToken":"wrong"}')
  assert.deepEqual(await closeOf(stranger), { code: 4401, reason: 'SALLY_CSRF_INVALID' })
  assert.deepEqual(got, [])
  const both = nextTexts(honest, 2)
  honest.send('{"type":"auth","csrfToken":"right"}')
  assert.deepEqual(await both, ['{"type":"authenticated"}', '"S3cret"'])
})

test('noServer: two guards on two paths of one server, an unowned path, a path in disguise', async t => {
  const host = await started(t, { message: { schema } })
  const { server, guard, open, client, port } = host
  const other = await guardFor(port)
  const sockets = [guard, other].map((one, index) =>
    new WebSocketServer({ noServer: true, ...one.ws() }).on('connection', socket => socket.send(`"${index}"`)),
  )
  const [a, b] = [guard.upgrade(sockets[0]!, '/a'), other.upgrade(sockets[1]!, '/b')]
  server.on('upgrade', (request, socket, head) => {
    if (!a(request, socket, head) && !b(request, socket, head))
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
  })
  for (const [path, greeting] of [
    ['/a', '0'],
    ['/b?x=1', '1'],
  ] as const) {
    const socket = client(path)
    assert.equal(await nextMessage(socket), greeting)
  }
  for (const path of ['/c', '/', '/a/', '/%61', '/A']) assert.equal((await refusalOf(client(path))).status, 404, path)
  assert.equal((await refusalOf(client('/a', [], { origin: 'https://evil.example' }))).status, 403)
  assert.deepEqual([guard.counters().opened, other.counters().opened], [1, 1])
  await other.drain({ withinMs: 0 })
  assert.equal(typeof open, 'function')
})

test('upgrade refuses at start a server that the guard would not see', async t => {
  const { guard, port } = await started(t)
  const other = await guardFor(port)
  assert.throws(() => guard.upgrade(new WebSocketServer({ noServer: true }), '/'), {
    name: 'TypeError',
    message: /\.\.\.guard\.ws\(\)/,
  })
  for (const none of [createServer(), undefined]) {
    assert.throws(() => guard.upgrade(none as unknown as WebSocketServer, '/'), /not guarded by this guard/)
  }
  for (const path of [undefined, null, '', 'ws', '/ws?a=1']) {
    const sockets = new WebSocketServer({ noServer: true, ...guard.ws() })
    assert.throws(() => guard.upgrade(sockets, path as string), /begins with a slash: '\/ws'/)
  }
  assert.throws(() => guard.upgrade(new WebSocketServer({ noServer: true, ...other.ws() }), '/'), TypeError)
})

test('two servers of one guard, each on its path: both guarded', async t => {
  const { server, guard, client } = await started(t)
  const handlers = ['/a', '/b'].map(path =>
    guard.upgrade(
      new WebSocketServer({ noServer: true, ...guard.ws() }).on('connection', socket =>
        socket.send(JSON.stringify(path)),
      ),
      path,
    ),
  )
  server.on('upgrade', (request, socket, head) => void handlers.some(handle => handle(request, socket, head)))
  for (const path of ['/a', '/b']) assert.equal(await nextMessage(client(path)), path)
  for (const path of ['/a', '/b']) assert.equal((await refusalOf(client(path, [], { origin: 'null' }))).status, 403)
})

test('a subclass of the app’s own keeps its ways and is guarded', async t => {
  class Named extends WebSocket {
    readonly nickname = 'ann'
    override send(data: any, ...rest: any[]): void {
      Reflect.apply(super.send, this, [textOf(data).toUpperCase(), ...rest])
    }
  }
  const { server, guard, open, client } = await started(t, { message: { schema } })
  attach({ server, ...guard.ws(Named) }).on('connection', (socket: WebSocket) => {
    socket.on('message', () => socket.send((socket as Named).nickname))
  })
  const socket = await open()
  socket.send('{"type":"chat","message":"a"}')
  assert.equal(String((await once(socket, 'message'))[0]), 'ANN')
  socket.send('{"type":"admin"}')
  assert.match(String((await once(socket, 'message'))[0]), /SALLY_MESSAGE_TYPE/i)
  assert.equal((await refusalOf(client('/', [], { origin: 'null' }))).status, 403)
})

test('verifyClient replaced after the spread: nothing vouches for the socket, so nothing passes through it', async t => {
  const { server, guard, client } = await started(t)
  const got: unknown[] = []
  const sockets = attach({ server, ...guard.ws(), verifyClient: () => true })
  sockets.on('connection', socket => {
    socket.on('message', data => got.push(data))
    socket.send('"S3cret"')
  })
  const socket = client('/', [], { origin: 'https://evil.example' })
  socket.on('message', data => got.push(data))
  socket.on('open', () => socket.send('1'))
  await once(socket, 'close')
  assert.deepEqual(got, [])
  assert.equal(guard.counters().opened, 0)
})

test('the class replaced after the spread: every handshake is refused, and a warning says why', async t => {
  const { server, guard, client } = await started(t)
  const warned = once(process, 'warning')
  attach({ server, ...guard.ws(), WebSocket })
  const refusal = await refusalOf(client())
  assert.equal(refusal.status, 503)
  assert.match(String((await warned)[0]), /spread/i)
  assert.equal(guard.counters().opened, 0)
})

test('bounds raised after the spread are held all the same', async t => {
  const { server, guard, open } = await started(t, { message: { size: { bytes: 100, fragments: 2 } } })
  attach({ server, ...guard.ws(), maxPayload: 1e9, maxFragments: 1e9 } as object)
  const socket = await open()
  socket.send(`"${'a'.repeat(99)}"`)
  assert.deepEqual(await closeOf(socket), { code: 1009, reason: 'SALLY_MESSAGE_TOO_BIG' })
  const other = await open()
  for (let part = 0; part < 3; part++) other.send('1', { fin: part === 2 })
  assert.deepEqual(await closeOf(other), { code: 1009, reason: 'SALLY_MESSAGE_FRAGMENTS' })
})

test('a close of the app’s own bears the reason that it gives, or none', async t => {
  const { server, guard, open } = await started(t)
  const closes: (readonly [code?: number, reason?: string])[] = [[4001, 'yours'], [4002], []]
  attach({ server, ...guard.ws() }).on('connection', socket => socket.close(...closes.shift()!))
  assert.deepEqual(await closeOf(await open()), { code: 4001, reason: 'yours' })
  assert.deepEqual(await closeOf(await open()), { code: 4002, reason: '' })
  assert.deepEqual(await closeOf(await open()), { code: 1005, reason: '' })
})

test('a chooser of subprotocols put in afterwards is shown no ticket and can answer with none', async t => {
  const { server, guard, open } = await started(t)
  const sockets = attach({ server, ...guard.ws() })
  const shown: string[][] = []
  sockets.options.handleProtocols = (offered, request) => {
    shown.push([...offered])
    return request.headers['x-greedy'] === undefined ? [...offered][0]! : 'sallyport.ticket.S3cret'
  }
  const socket = await open('/', ['sallyport.ticket.S3cret', 'sallyport.v1'])
  assert.equal(socket.protocol, 'sallyport.v1')
  delete sockets.options.handleProtocols
  assert.equal((await open('/', ['sallyport.ticket.S3cret', 'sallyport.v1'])).protocol, 'sallyport.v1')
  assert.deepEqual(shown, [['sallyport.v1']])
})

test('deflate is negotiated only where the policy says so, without context; a bomb ends at the bound', async t => {
  const off = await started(t)
  attach({ server: off.server, ...off.guard.ws() })
  assert.equal((await off.open()).extensions, '')

  const on = await started(t, { handshake: { extensions: { deflate: true } } })
  const got: unknown[] = []
  attach({ server: on.server, ...on.guard.ws() }).on('connection', socket =>
    socket.on('message', data => got.push(data)),
  )
  const socket = await on.open()
  assert.match(socket.extensions, /permessage-deflate/)
  const bomb = deflateRawSync(Buffer.alloc(64 << 20, 32)).subarray(0, 60_000)
  const head = Buffer.from([0xc1, 0xfe, bomb.length >> 8, bomb.length & 0xff, 0, 0, 0, 0])
  Reflect.get(socket, '_socket').write(Buffer.concat([head, bomb]))
  assert.deepEqual(await closeOf(socket), { code: 1009, reason: 'SALLY_MESSAGE_TOO_BIG' })
  assert.deepEqual(got, [])
  assert.equal((await on.event(({ code }) => code === 'SALLY_MESSAGE_TOO_BIG')).enforced, true)
})

for (const [engine, offer] of [
  ['Chromium', 'permessage-deflate; client_max_window_bits'],
  ['Firefox', 'permessage-deflate'],
] as const) {
  test(`${engine}’s own offer of deflate is taken up where the policy allows it`, async t => {
    const { server, guard, port } = await started(t, { handshake: { extensions: { deflate: { windowBits: 12 } } } })
    attach({ server, ...guard.ws() })
    const add = [`Sec-WebSocket-Extensions: ${offer}`]
    const { status, text } = await exchange(port, handshakeText({ port, request: 'GET / HTTP/1.1', add }))
    assert.equal(status, 101)
    assert.match(text, /^sec-websocket-extensions: permessage-deflate;.*server_no_context_takeover/im)
  })
}

for (const deflate of [false, true]) {
  for (const way of ['server', 'upgrade'] as const) {
    test(`offers that are not of the grammar are refused (${way}, deflate ${deflate})`, async t => {
      const { server, guard, port } = await started(t, { handshake: { extensions: { deflate } } })
      if (way === 'server') attach({ server, ...guard.ws() })
      else server.on('upgrade', guard.upgrade(new WebSocketServer({ noServer: true, ...guard.ws() }), '/'))
      for (const offer of ['', 'permessage-deflate;', 'permessage-deflate, ', 'permessage-deflate; a="1', '=']) {
        const add = [`Sec-WebSocket-Extensions: ${offer}`]
        const { status, text } = await exchange(port, handshakeText({ port, request: 'GET / HTTP/1.1', add }))
        assert.equal(status, 400, offer)
        // `ws` reads the header itself before it asks anybody, where it is to compress.
        if (way === 'upgrade' || !deflate) assert.match(text, /\{"code":"SALLY_REQUEST_MALFORMED"\}$/, offer)
      }
    })
  }
}

for (const way of ['server', 'upgrade'] as const) {
  test(`reset while the session is looked up (${way}): nothing opens, nothing stays counted`, async t => {
    const looks: (() => void)[] = []
    const { server, guard, port, origin } = await started(t, {
      handshake: {
        connections: { total: 5 },
        session: () => new Promise(resolve => looks.push(() => resolve({ id: 'a', user: 'a' }))),
      },
    })
    if (way === 'server') attach({ server, ...guard.ws() })
    else server.on('upgrade', guard.upgrade(attach({ noServer: true, ...guard.ws() }), '/'))
    const text = handshakeText({ port, request: 'GET / HTTP/1.1', replace: { origin: `Origin: ${origin}` } })
    for (let round = 0; round < 3; round++) {
      const closed: Promise<unknown>[] = []
      const dialled = await Promise.all(Array.from({ length: 5 }, () => dial(port)))
      for (const socket of dialled) socket.write(text)
      while (looks.length < 5) await new Promise(setImmediate)
      for (const socket of dialled) {
        closed.push(once(socket, 'close'))
        socket.resetAndDestroy()
      }
      await Promise.all(closed)
      const held = (): Promise<number> =>
        new Promise(resolve => server.getConnections((_error, count) => resolve(count)))
      while ((await held()) > 0) await new Promise(setImmediate)
      // The sockets are gone before their answers come. A sixth of five would be refused if one were still counted.
      for (const answer of looks.splice(0)) answer()
      await new Promise(setImmediate)
    }
    assert.equal(guard.counters().opened, 0)
    assert.deepEqual(guard.counters().denials, [])
  })
}

test('guard.ws spread without the call: an error at start, not a server without a guard', async t => {
  const { server, guard } = await started(t)
  assert.throws(() => attach({ server, ...(guard.ws as object) }), /guard\.ws must be called.*\.\.\.guard\.ws\(\)/)
})

test('the guard itself spread: an error at start, not a server without a guard', async t => {
  const { server, guard } = await started(t)
  assert.throws(() => attach({ server, ...guard }), /a guard is no options.*\.\.\.guard\.ws\(\)/)
})

test('verifyClient replaced after the spread: the socket is cut, and a warning says why', async t => {
  const { server, guard, client } = await started(t)
  const opened: unknown[] = []
  const got: unknown[] = []
  const sockets = attach({ server, ...guard.ws(), verifyClient: () => true })
  sockets.on('connection', socket => {
    opened.push(socket)
    socket.on('message', data => got.push(data))
  })
  const warned = once(process, 'warning')
  const socket = client()
  socket.on('open', () => socket.send('{"type":"chat","message":"past the door"}'))
  await once(socket, 'close')
  const [warning] = (await warned) as [Error & { code: string }]
  assert.equal(warning.code, 'SALLY_CONTROL_FAILED')
  assert.match(warning.message, /verifyClient was replaced.*handshake\.authorize/)
  assert.deepEqual(got, [])
})

test('a class whose sockets have no receiver, as in Bun: binaryType can be chosen', async t => {
  const { guard } = await started(t)
  const socket = Object.create(guard.ws().WebSocket.prototype) as WebSocket
  Object.defineProperty(socket, '_receiver', { value: null, writable: true })
  assert.doesNotThrow(() => Reflect.set(socket, 'binaryType', 'arraybuffer', socket))
})

for (const answer of [true, false]) {
  test(`a class that answers ${answer} to whether it took the socket, as Bun's does: it is heard`, async t => {
    const { server, guard, client } = await started(t, { handshake: { connections: { perIp: 1 } } })
    class Answering extends WebSocket {
      setSocket(...args: unknown[]): boolean {
        if (answer) Reflect.apply((WebSocket.prototype as unknown as Answering).setSocket, this, args)
        else (args[0] as Socket).destroy()
        return answer
      }
    }
    const options = guard.ws(Answering)
    const guarded = options.WebSocket.prototype as unknown as Answering
    const { setSocket } = guarded
    const heard: unknown[] = []
    guarded.setSocket = function (...args) {
      const said = Reflect.apply(setSocket, this, args)
      heard.push(said)
      return said
    }
    attach({ server, ...options })
    const first = client()
    await once(first, answer ? 'open' : 'close')
    assert.deepEqual(heard, [answer])
    if (answer) {
      assert.equal((await refusalOf(client())).status, 429)
    } else {
      // The place of what was not opened was given back, so the next one comes as far.
      await once(client(), 'close')
      assert.deepEqual(heard, [false, false])
    }
    assert.equal(guard.counters().opened, answer ? 1 : 0)
    first.terminate()
  })
}
