import { ORIGIN } from './gateway-world.ts'

const LINES: { readonly [name: string]: string } = {
  Host: 'app.localhost',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
  Origin: ORIGIN,
  Cookie: 'sid=s1',
}

/** A clean handshake, with these lines instead of its own; null for none. */
export function handshake(target = '/ws', lines: { readonly [name: string]: string | null } = {}): string {
  const all = Object.entries({ ...LINES, ...lines }).filter(([, value]) => value !== null)
  return `GET ${target} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}
