// An echo over `serve()` for the conformance suites that others wrote, and for a look by hand:
//   node --conditions=sallyport-source bench/echo-server.ts [--port 9001] [--binary off] [--text off] [--deflate] [--bytes 64MiB]
// It accepts any message from anybody, so it stands on loopback alone. It ends with its input, or with a signal.
import { parseArgs } from 'node:util'
import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9001' },
    host: { type: 'string', default: '127.0.0.1' },
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
const PLENTY = 1e9
const guard = createGuard({
  handshake: {
    origin: { dangerouslyAllowAnyOrigin: true },
    session: { dangerouslyAnonymous: true },
    host: { allow: ['127.0.0.1', 'localhost'] },
    rate: {
      perIp: { attempts: PLENTY, per: '1 minute' },
      perUser: { attempts: PLENTY, per: '1 minute' },
      total: { attempts: PLENTY, per: '1 minute' },
    },
    connections: { total: PLENTY, perIp: PLENTY, perUser: PLENTY },
    extensions: { deflate: values.deflate },
  },
  message: {
    schema: { dangerouslyAcceptAnyMessage: true },
    rate: { dangerouslyOff: true },
    format: { data: values.binary === 'off' ? 'text' : values.text === 'off' ? 'binary' : 'any' },
    size: {
      bytes: values.bytes,
      fragments: Number(values.fragments),
      controlFrames: { frames: PLENTY, per: '1 minute' },
    },
  },
  // One frame that takes a suite a minute to send leaves no place for a pong.
  lifetime: { backpressure: { bytes: '256 MiB' }, heartbeat: { dangerouslyOff: true } },
})
const app = await serve({
  guard,
  port: Number(values.port),
  host: values.host,
  message: (message, connection) => void connection.send(message as string | object),
})
process.stdout.write(`${app.url}\n`)
const stop = (): void => void app.close({ withinMs: 0 }).then(() => process.exit(0))
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
process.stdin.on('end', stop).resume()
