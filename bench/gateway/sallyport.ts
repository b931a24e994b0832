// The gateway with every control on and every message checked, in a process that begins as the command line begins it.
import type { createGuard as CreateGuard } from 'sallyport'
import { boundYoungSpace } from '../../packages/gateway/src/cli/young-space.ts'
import { gatewayConfig } from './config.ts'
import { BACKEND_PORT, readyProxy } from './ready.ts'

boundYoungSpace()
// Not before: what is loaded now would be loaded twice.
const { createGateway } = await import('@sallyport/gateway')
const { createGuard } = await import('sallyport')
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const gateway = createGateway({
  config: gatewayConfig(BACKEND_PORT),
  guardOf: config =>
    createGuard({
      ...config.policy,
      handshake: {
        ...config.policy.handshake,
        session: request => {
          const sid = request.cookie('sid')
          return sid === undefined ? null : { id: sid, user: sid }
        },
      },
    } as Parameters<typeof CreateGuard>[0]),
  log: silent,
})
await gateway.listen()
readyProxy(gateway.ports.get('main') ?? 0)
