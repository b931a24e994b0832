// `serve()` with every control on; what would stop a benchmark (rates, caps on connections) is on and generous.
// With `--tls` over TLS.
import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'
import { Type } from 'typebox'
import { CERTIFICATE, KEY } from '../../test/support/certificates.ts'
import { type Chat, MAX_TEXT, ORIGIN, ready, reply, SESSION_COOKIE } from './chat.ts'

const PLENTY = 1e9
const tls = process.argv.includes('--tls')
const guard = createGuard({
  handshake: {
    origin: { allow: [tls ? ORIGIN.replace('http', 'https') : ORIGIN] },
    session: request => {
      const sid = request.cookie(SESSION_COOKIE)
      return sid === undefined ? null : { id: sid, user: sid }
    },
    ticket: { ttl: '1 minute' },
    rate: {
      perIp: { attempts: PLENTY, per: '1 minute' },
      perUser: { attempts: PLENTY, per: '1 minute' },
      total: { attempts: PLENTY, per: '1 minute' },
    },
    connections: { total: PLENTY, perIp: PLENTY, perUser: PLENTY },
  },
  message: {
    rate: {
      messages: PLENTY,
      bytes: '1 GiB',
      per: '1 second',
      perUser: { messages: PLENTY, per: '1 second' },
      perIp: { messages: PLENTY, per: '1 second' },
    },
    schema: {
      chat: Type.Object({
        type: Type.Literal('chat'),
        message: Type.String({ maxLength: MAX_TEXT }),
        roomId: Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' }),
      }),
    },
  },
})
const app = await serve({
  guard,
  port: 0,
  host: '127.0.0.1',
  ...(tls && { tls: { key: KEY, cert: CERTIFICATE } }),
  handlers: { chat: (message, connection) => void connection.send(reply(message as Chat)) },
})
ready(app.port)
