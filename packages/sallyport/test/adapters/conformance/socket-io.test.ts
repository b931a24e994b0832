import { guardSocketIo } from 'sallyport/adapters/socket-io'
import { Server } from 'socket.io'
import { adapterConformance } from './adapter-conformance.ts'
import { createHost, listen, runningOn } from './http-host.ts'

const OWN_HEARTBEAT = 'Engine.IO pings with messages of its own and ends silent peers by itself'

/** Socket.IO's packets: an event is `42["name",{…}]`. Engine.IO's ping is `2`. */
const packets = {
  path: '/socket.io/?EIO=4&transport=websocket',
  encode: (json: string): string => `42[${JSON.stringify((JSON.parse(json) as { type: string }).type)},${json}]`,
  opens: (text: string): boolean => text.startsWith('40'),
  decode(text: string, reply: (text: string) => void): string | undefined {
    if (text.startsWith('0{')) reply('40')
    if (text === '2') reply('3')
    if (!text.startsWith('42')) return undefined
    const [type, value] = JSON.parse(text.slice(2)) as [string, object]
    return JSON.stringify({ type, ...value })
  },
}

adapterConformance({
  name: 'Socket.IO',
  cannot: {
    'close codes': 'Socket.IO closes without a code, and tells its reasons as words of its own',
    heartbeat: OWN_HEARTBEAT,
  },
  async start(part) {
    const host = await createHost(part)
    const server = await listen(host)
    const io = new Server(server, { maxHttpBufferSize: 65_536 })
    guardSocketIo(io, host.guard)
    io.on('connection', socket => {
      const connection = {
        send: (message: object) => socket.emit('chat', withoutType(message)),
        close: () => socket.disconnect(true),
      }
      for (const type of ['chat', 'bulk', 'leave']) {
        socket.on(type, (value: object) => host.app.handle({ type, ...value }, connection))
      }
    })
    return runningOn(
      host,
      async () => {
        await io.close()
      },
      packets,
    )
  },
})

function withoutType({ type: _type, ...rest }: { readonly type?: string }): object {
  return rest
}
