import type { Connection } from 'sallyport'
import { serve } from 'sallyport/server'
import { adapterConformance } from './adapter-conformance.ts'
import { createHost, runningOn } from './http-host.ts'

adapterConformance({
  name: 'serve()',
  cannot: {},
  async start(part) {
    const host = await createHost(part)
    const handle = (message: unknown, connection: Connection): void => host.app.handle(message, connection)
    const app = await serve({
      guard: host.guard,
      port: host.port,
      path: '/ws',
      handlers: { chat: handle, bulk: handle, leave: handle } as never,
      close: (_connection, code) => host.app.closed(code),
    })
    return runningOn(host, () => app.close({ withinMs: 0 }))
  },
})
