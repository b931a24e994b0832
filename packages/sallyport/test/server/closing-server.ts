import { createGuard } from '../../src/index.ts'
import { serve } from '../../src/server/serve.ts'

// A process that has nothing but one connection, which is not read from while its only handler runs; and then closes.
const guard = createGuard({
  handshake: {
    origin: { dangerouslyAllowAnyOrigin: true },
    session: { dangerouslyAnonymous: true },
    transport: { dangerouslyAllowPlaintext: true },
    host: { allow: ['app.test'] },
  },
  message: { schema: { dangerouslyAcceptAnyMessage: true }, concurrency: { handlers: 1 } },
  events: { log: { info() {}, warn() {}, error() {} } },
})
const app = await serve({
  guard,
  port: 0,
  message: () => {
    void app.close({ withinMs: 300 }).then(() => process.stdout.write('closed\n'))
    return new Promise(() => undefined)
  },
})
process.stdout.write(`${app.port}\n`)
