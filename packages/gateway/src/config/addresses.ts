import { type Path, pathText } from './path.ts'
import { type Reading, refuse } from './reading.ts'
import type { GatewayConfig, ListenerConfig } from '../model/config.ts'

/** Two that listen at one address: the second could not start. */
export function refuseTakenAddresses(reading: Reading, { listeners, admin }: GatewayConfig): void {
  const all: { readonly path: Path; readonly address: ListenerConfig['address'] }[] = listeners.map(
    ({ name, address }) => ({ path: ['listeners', name, 'address'], address }),
  )
  if (admin !== null) all.push({ path: ['admin', 'address'], address: admin.address })
  for (const [index, { path, address }] of all.entries()) {
    const first = all.slice(0, index).find(other => isTaken(address, other.address))
    if (first === undefined) continue
    refuse(reading, path, 'socket' in address ? `unix:${address.socket}` : `${address.host}:${address.port}`, {
      message: `${pathText(first.path)} listens there`,
      remedy: 'write another port, or another socket',
    })
  }
}

function isTaken(address: ListenerConfig['address'], by: ListenerConfig['address']): boolean {
  if ('socket' in address || 'socket' in by)
    return 'socket' in address && 'socket' in by && address.socket === by.socket
  // Port 0 is one that is free.
  if (address.port !== by.port || address.port === 0) return false
  return address.host === by.host || isEverywhere(address.host) || isEverywhere(by.host)
}

const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'
