// The gateway with every control on and every message checked.
import { createGateway } from '@sallyport/gateway'
import { createGuard } from 'sallyport'
import { gatewayConfig } from './config.ts'
import { BACKEND_PORT, readyProxy } from './ready.ts'

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
    } as Parameters<typeof createGuard>[0]),
  log: silent,
})
await gateway.listen()
readyProxy(gateway.ports.get('main') ?? 0)
