import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { chatSchema, closeOf, nextMessage, nextTexts, refusalOf } from '../support/world.ts'
import { attach, started } from './ws-host.ts'

const schema = { chat: chatSchema }
const textOf = (data: unknown): string => String(data)

test('two lines: an existing app’s listeners get what was checked, serialised again', async t => {
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
    message: { format: { data: 'text' }, concurrency: { handlers: 2, countListeners: true } },
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
  const sockets = new WebSocketServer({ noServer: true, ...host.guard.ws() })
  sockets.on('connection', socket => socket.send('"S3cret"'))
  host.server.on('upgrade', host.guard.upgrade(sockets, '/'))
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

test('a close of the app’s own has the reason that it gives, or none', async t => {
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

test('a class whose sockets have no receiver, as in Bun: binaryType can be chosen', async t => {
  const { guard } = await started(t)
  const socket = Object.create(guard.ws(WebSocket).WebSocket.prototype) as WebSocket
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
