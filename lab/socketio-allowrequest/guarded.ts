import { createGuard } from 'sallyport'
import { guardSocketIo } from 'sallyport/adapters/socket-io'
import { Server } from 'socket.io'
import { z } from 'zod'
import type { Running } from '../ground/description.ts'
import type { Ground } from '../ground/ground.ts'

/** Private messages over Socket.IO. The page stays with long polling: its users sit behind proxies that break WebSockets. */
export function start({ server, signIn, user, origin, session, use, route }: Ground): Running {
  signIn({ httpOnly: true, secure: true, sameSite: 'strict' })

  const guard = createGuard({
    handshake: { origin: { allow: [origin] }, session, ticket: { carrier: 'query' } },
    message: { schema: { getPrivateMessages: z.object({ type: z.literal('getPrivateMessages') }) } },
  })
  use(guard)
  const io = new Server(server, { maxHttpBufferSize: 65_536 })
  guardSocketIo(io, guard)

  io.on('connection', socket => {
    const account = user(socket.request)!
    socket.on('getPrivateMessages', () => socket.emit('privateMessages', account.privateMessages))
  })

  // The operators' dashboard, on a host of its own, shows what is asked for. An address is no secret, one thinks.
  const asked: string[] = []
  io.engine.use((request: { readonly url: string }, _response: unknown, next: () => void) => {
    asked.push(request.url)
    next()
  })
  route('GET /status', (_request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*').end(asked.join('\n'))
  })

  for (const path of ['/inbox', '/work'])
    route(`GET ${path}`, (_request, response) => {
      response.setHeader('Content-Type', 'text/html').end(`<h1>Your messages</h1>
<script src="/socket.io/socket.io.js"></script>
<script type="module">
  const { ticket } = await (await fetch('/.sallyport/ticket?path=/socket.io/', { method: 'POST' })).json()
  const socket = io({ transports: ['polling'], query: { ticket } })
  socket.on('connect', () => socket.emit('getPrivateMessages'))
  socket.on('connect_error', error => report('fails', error.message))
  socket.on('privateMessages', () => report('works', 'privateMessages'))
  const report = (how, body) => location.pathname === '/work' && fetch('/report/' + how, { method: 'POST', body })
</script>`)
    })
  return { close: () => void io.engine.close() }
}
