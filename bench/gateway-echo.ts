// The gateway before a plain echo (`ws`), for the conformance suites that others wrote, as echo-server.ts is without it:
//   node --conditions=sallyport-source bench/gateway-echo.ts [--port 9002] [--binary off] [--text off] [--deflate] [--bytes 16MiB]
// `wstest -m fuzzingclient` of Autobahn is pointed at ws://127.0.0.1:9002. It ends with its input, or with a signal.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { createGateway, createGuardOf } from '@sallyport/gateway'
import { createMemoryStore } from 'sallyport/store/memory'
import { WebSocketServer } from 'ws'
import { echoConfig } from './gateway/echo.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9002' },
    /** `off` refuses text, or binary, with 1003. */
    text: { type: 'string', default: 'on' },
    binary: { type: 'string', default: 'on' },
    deflate: { type: 'boolean', default: false },
    /** Greatest message. */
    bytes: { type: 'string', default: '16 MiB' },
    /** Greatest number of fragments of a message. */
    fragments: { type: 'string', default: '100000' },
  },
})
const backend = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
backend.on('connection', socket => {
  socket.on('error', () => undefined)
  socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }))
})
await once(backend, 'listening')

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const gateway = createGateway({
  config: echoConfig({
    port: Number(values.port),
    backendPort: (backend.address() as AddressInfo).port,
    bytes: values.bytes,
    fragments: Number(values.fragments),
    deflate: values.deflate,
    data: values.binary === 'off' ? 'text' : values.text === 'off' ? 'binary' : 'any',
  }),
  guardOf: createGuardOf({
    store: createMemoryStore(),
    ticketSecret: 'no ticket is issued here, so nobody signs',
    hashKey: 'no event is kept, so nobody is hashed!',
    logOf: () => silent,
    reported: () => undefined,
  }),
  log: silent,
})
await gateway.listen()
process.stdout.write(`ws://127.0.0.1:${gateway.ports.get('main')}\n`)
const stop = (): void => void gateway.close(0).then(() => process.exit(0))
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
process.stdin.on('end', stop).resume()
