// An echo on serve(), run by a runtime in a process of its own: tells its port, and drains when its input ends.
import { createGuard } from '../../src/index.ts'
import { serve } from '../../src/server/serve.ts'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'

const guard = createGuard({
  handshake: {
    origin: { allow: ['https://app.test'] },
    session: { dangerouslyAnonymous: true },
    host: { allow: ['app.test'] },
    extensions: { deflate: { threshold: 64 } },
  },
  message: {
    schema: { dangerouslyAcceptAnyMessage: true },
    rate: { dangerouslyOff: true },
    size: { bytes: '256 KiB' },
  },
  events: { log: { info() {}, warn() {}, error() {} } },
})
const app = await serve({
  guard,
  host: '127.0.0.1',
  port: 0,
  ...(process.argv.includes('--tls') && { tls: { key: KEY, cert: CERTIFICATE } }),
  message: (message, connection) => connection.send(JSON.stringify(message)),
})
process.stdout.write(`${app.port}\n`)
process.stdin.on('end', () => void app.close({ withinMs: 0 }).then(() => process.exit(0))).resume()
