import { once } from 'node:events'
import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'

/*
 * The server of memory.test.ts in a process of its own, run with --expose-gc: a process here may hold 20 000
 * descriptors, and what is measured is the server alone.
 */

const { gc } = globalThis
if (gc === undefined || process.send === undefined) throw new Error('fork this with --expose-gc')

const MANY = { attempts: 1_000_000, per: '1 minute' }
const guard = createGuard({
  handshake: {
    origin: { dangerouslyAllowAnyOrigin: true },
    host: { allow: ['localhost'] },
    session: { dangerouslyAnonymous: true },
    ticket: { dangerouslyWithoutTicket: true },
    rate: { perIp: MANY, perUser: MANY, total: MANY },
    connections: { total: 15_000, perIp: 15_000, perUser: 15_000 },
    extensions: { deflate: true },
  },
  message: { schema: { dangerouslyAcceptAnyMessage: true } },
})
const app = await serve({
  guard,
  port: 0,
  message: (said, connection) => void connection.send(said as object),
})

/** Heap and what hangs on it, after everything that can be collected was. */
async function measure(): Promise<object> {
  for (let round = 0; round < 4; round++) {
    gc!()
    await new Promise(resolve => {
      setTimeout(resolve, 20)
    })
  }
  const { heapUsed, external } = process.memoryUsage()
  const timers = process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
  return { bytes: heapUsed + external, timers, open: guard.counters().open, denials: guard.counters().denials }
}

process.on('message', () => {
  void measure().then(measured => process.send!(measured))
})
process.send({ port: app.port })
await once(process, 'disconnect')
// The test has ended, well or not.
process.exit(0)
