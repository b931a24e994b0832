import type { HandshakeRequest } from 'sallyport'

/** A request as the doors see one, with these header lines. */
export function fakeRequest(
  lines: readonly (readonly [name: string, value: string])[],
  over: Partial<HandshakeRequest> = {},
): HandshakeRequest {
  const all = (name: string): readonly string[] =>
    lines.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return {
    method: 'GET',
    httpVersion: '1.1',
    target: '/ws?ticket=secret-ticket',
    path: '/ws',
    query: new URLSearchParams('ticket=secret-ticket'),
    ip: '203.0.113.9',
    secure: true,
    loopback: false,
    header: name => all(name).join(', ') || undefined,
    lines: all,
    rawHeaders: lines.flat(),
    cookie: name => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(all('cookie')[0] ?? '')?.[1],
    raw: null as never,
    ...over,
  }
}
