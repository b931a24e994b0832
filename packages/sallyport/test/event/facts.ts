import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import type { EventSubject } from '../../src/event/catalogue.ts'
import type { SallyEvent } from '../../src/model/event.ts'

/** A handshake for tests of events. */
export function request(
  target = '/ws',
  headers: { readonly [name: string]: string } = {},
  over: Partial<HandshakeRequest> = {},
): HandshakeRequest {
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  return {
    method: 'GET',
    httpVersion: '1.1',
    target,
    path,
    query: new URLSearchParams(query),
    ip: '192.0.2.7',
    secure: true,
    loopback: false,
    header: name => headers[name],
    lines: name => (headers[name] === undefined ? [] : [headers[name]]),
    rawHeaders: Object.entries(headers).flat(),
    cookie: () => undefined,
    raw: new Request('https://app.company.com/'),
    ...over,
  }
}

/** An honest subject. */
export const subject: EventSubject = {
  connection: 'c-1',
  request: request('/ws', {
    origin: 'https://app.company.com',
    host: 'app.company.com',
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
  }),
  session: { id: 'session-1', user: 'alice' },
}

/** An event for tests of the log and of listeners. */
export function event(over: Partial<SallyEvent> = {}): SallyEvent {
  return {
    kind: 'denial',
    datetime: '2026-01-01T00:00:00.000Z',
    appid: 'app',
    event: 'malicious_cors:192.0.2.7,,https://evil.example',
    level: 'warn',
    description: 'the Origin is not in the allow-list',
    code: 'SALLY_ORIGIN_NOT_ALLOWED',
    control: 'handshake/origin',
    enforced: true,
    ...over,
  }
}
