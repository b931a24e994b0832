import { origin } from '../controls/handshake/origin.ts'
import { host } from '../controls/handshake/host.ts'
import { controlRow, rowOf } from './control-row.ts'
import type { ControlRow } from './control-row.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { budgetInWords, countInWords, durationInWords, sizeInWords } from '../shape/words.ts'

const OFF = ['dangerouslyOff', 'boolean', 'false', 'Turns the control off.'] as const

/** The controls of the handshake door, in the order in which they are told. */
export const HANDSHAKE_CONTROLS: readonly ControlRow[] = [
  controlRow('handshake/transport', {
    denies: "the connection is not TLS (directly, or by a trusted proxy's word) and leaves this machine",
    default: 'on',
    meets: ['ASVS-4.1.3', 'WS-4'],
    keys: [['dangerouslyAllowPlaintext', 'boolean', 'false', 'Lets ws: connections in from other machines.'], OFF],
  }),
  rowOf(host),
  controlRow('handshake/request', {
    denies: 'it is not GET, not version 13, bad key, duplicate or oversized headers, version 8 or 0, Extended CONNECT',
    default: `on; headers ≤ ${sizeInWords(DEFAULTS.headerBytes)} in ${DEFAULTS.headers} lines, target ≤ ${sizeInWords(DEFAULTS.targetBytes)}`,
    meets: ['RFC-10.8', 'RFC-10.1'],
    keys: [
      ['headerBytes', 'Size', sizeInWords(DEFAULTS.headerBytes), 'All header lines together.'],
      ['headers', 'number', String(DEFAULTS.headers), 'Header lines.'],
      ['targetBytes', 'Size', sizeInWords(DEFAULTS.targetBytes), 'Path and query.'],
    ],
  }),
  rowOf(origin),
  controlRow('handshake/fetch-metadata', {
    denies: 'Sec-Fetch-* is present and contradicts the allowed origin; absent proves nothing (Chromium sends none)',
    default: 'on',
    meets: ['S15'],
    keys: [OFF],
  }),
  controlRow('handshake/subprotocol', {
    denies: 'nothing offered is served; a ticket carrier is never echoed back',
    default: `on; serves ${DEFAULTS.subprotocols.join(', ')}; a client that offers none is let in`,
    meets: ['ASVS-14.2.1'],
    keys: [
      [
        'serve',
        'string[]',
        `['${DEFAULTS.subprotocols.join("', '")}']`,
        'Names that are served. The first one that a client offers is answered.',
      ],
      ['required', 'boolean', 'false', 'Refuses clients that offer none.'],
      OFF,
    ],
  }),
  controlRow('handshake/extensions', {
    denies:
      'permessage-deflate is offered and not allowed: it is not negotiated; where it is, window, ratio and decompressed size are bounded',
    default: 'off: nothing is compressed',
    meets: ['WS-3', 'WS-17', 'RFC-10.4'],
    keys: [
      ['deflate', 'boolean or object', 'false', 'Negotiates permessage-deflate (RFC 7692), without context takeover.'],
      ['deflate.threshold', 'Size', sizeInWords(DEFAULTS.deflateThreshold), 'Shorter messages are sent as they are.'],
      ['deflate.windowBits', '9–15', String(DEFAULTS.deflateWindowBits), 'LZ77 window, 2^bits bytes.'],
    ],
  }),
  controlRow('handshake/rate', {
    denies:
      'the attempts of a user, or of strangers from one address (IPv6: /64, /56 and /48) or in all, exceed their budget; an unknown credential waits for its look-up',
    default: `per user ${budgetInWords(DEFAULTS.handshakesPerUser, 'attempts')}; strangers per IP ${budgetInWords(DEFAULTS.handshakesPerIp, 'attempts')}; strangers in all ${budgetInWords(DEFAULTS.handshakesTotal, 'attempts')}`,
    meets: ['ASVS-4.1.3'],
    keys: [
      [
        'perIp',
        '{ attempts, per, burst? }',
        budgetInWords(DEFAULTS.handshakesPerIp, 'attempts'),
        'Attempts without a credential of one address; refused ones count. A /56 of IPv6 has twice, a /48 four times as much.',
      ],
      [
        'perUser',
        '{ attempts, per, burst? }',
        budgetInWords(DEFAULTS.handshakesPerUser, 'attempts'),
        'Attempts of one user; a ticket and its handshake are one.',
      ],
      [
        'total',
        '{ attempts, per, burst? }',
        budgetInWords(DEFAULTS.handshakesTotal, 'attempts'),
        'Attempts of strangers in all: without a credential in the cluster, with an unknown one look-ups of each node. Known users draw on none of it.',
      ],
      OFF,
    ],
  }),
  controlRow('handshake/connections', {
    denies: 'live connections in all, per IP, per user exceed the cap; cluster-exact with a shared store',
    default: `${countInWords(DEFAULTS.connectionsTotal)} in all, ${countInWords(DEFAULTS.connectionsPerIp)} per IP (${DEFAULTS.connectionsStrangersPerIp} without a known user), ${DEFAULTS.connectionsPerUser} per user`,
    keys: [
      ['total', 'number', countInWords(DEFAULTS.connectionsTotal), 'Live connections in all.'],
      ['perIp', 'number', countInWords(DEFAULTS.connectionsPerIp), 'Live connections of one address.'],
      [
        'strangersPerIp',
        'number',
        String(DEFAULTS.connectionsStrangersPerIp),
        'Connections of one address without a known user: of a public endpoint, and handshakes whose session is looked up.',
      ],
      ['perUser', 'number', String(DEFAULTS.connectionsPerUser), 'Live connections of one user.'],
      OFF,
    ],
  }),
  controlRow('handshake/session', {
    denies: 'there is no valid session, found the way HTTP finds it; a store that fails is 503, never anonymous',
    default: '*must be decided*',
    meets: [
      'ASVS-7.2.1',
      'ASVS-7.2.2',
      'ASVS-9.1.1',
      'ASVS-9.1.2',
      'ASVS-9.1.3',
      'ASVS-9.2.1',
      'ASVS-9.2.2',
      'ASVS-9.2.3',
      'ASVS-9.2.4',
      'WS-9',
      'WS-13',
      'WS-21',
      'WS-31',
    ],
    keys: [
      [
        '',
        '(request) => Session or null',
        '*must be decided*',
        'How the session is found. `null` is nobody (401); throwing is "cannot tell" (503).',
      ],
      ['dangerouslyAnonymous', 'boolean', 'false', 'Instead of a function: a public endpoint, nobody has a session.'],
    ],
  }),
  controlRow('handshake/ticket', {
    denies: 'there is no valid, unused ticket for this session, origin and path',
    default: `on with cookie sessions; ${durationInWords(DEFAULTS.ticketTtlMs)}, single use, in Sec-WebSocket-Protocol`,
    meets: [
      'S3',
      'S11',
      'S15',
      'WS-13',
      'WS-14',
      'WS-30',
      'ASVS-4.4.3',
      'ASVS-7.2.1',
      'ASVS-7.2.2',
      'ASVS-7.2.3',
      'ASVS-9.1.1',
      'ASVS-9.1.2',
      'ASVS-9.2.2',
      'ASVS-9.2.3',
      'ASVS-9.2.4',
      'ASVS-14.2.1',
    ],
    keys: [
      [
        'secret',
        'string or string[]',
        'random for this process',
        'HMAC keys of 32 bytes or more, newest first; older ones still verify. Share them between nodes.',
      ],
      ['ttl', 'Duration', durationInWords(DEFAULTS.ticketTtlMs), 'How long a ticket is valid.'],
      ['carrier', "'subprotocol', 'first-message' or 'query'", "'subprotocol'", 'How it travels; never in a cookie.'],
      ['parameter', 'string', `'${DEFAULTS.ticketParameter}'`, "Name of the query parameter, with `carrier: 'query'`."],
      ['paths', 'string[]', 'any', 'Paths that a ticket may be asked for.'],
      ['csrf', '(token, request) => boolean', 'none', "Verifies the app's own CSRF token instead of a ticket."],
      [
        'dangerouslyWithoutAddress',
        'boolean',
        'false',
        '`guard.ticket(request)` may be called without `{ ip }`: all who ask share the limits of one address.',
      ],
      ['dangerouslyWithoutTicket', 'boolean', 'false', 'Relies on the Origin alone although the session is a cookie.'],
    ],
  }),
  controlRow('handshake/authorize', {
    denies: "the app's own rule (path, room, tenant) says no",
    default: 'no rule: every session may open',
    notProbed:
      'only the app knows who may open which path: from outside, a refusal by its rule looks like any other 403',
    keys: [['', '(session, request) => boolean', 'none', "The app's own rule. Anything but `true` denies."]],
  }),
]
