import { heartbeat } from '../controls/lifetime/heartbeat.ts'
import { controlRow, rowOf } from './control-row.ts'
import type { ControlRow } from './control-row.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { durationInWords, sizeInWords } from '../shape/words.ts'

const OFF = ['dangerouslyOff', 'boolean', 'false', 'Turns the control off.'] as const
const SESSION = `exp exactly; re-check ${durationInWords(DEFAULTS.recheckMs)}; revoke < 1 s; grace ${durationInWords(DEFAULTS.graceMs)}`

/** The controls that run while a connection is open, in the order in which they are told. */
export const LIFETIME_CONTROLS: readonly ControlRow[] = [
  controlRow('lifetime/authentication', {
    denies:
      'no valid first message comes within the deadline, in first-message mode; nothing but it is accepted before',
    default: `${durationInWords(DEFAULTS.authenticationMs)}, with \`handshake.ticket.carrier: 'first-message'\``,
    keys: [
      ['deadline', 'Duration', durationInWords(DEFAULTS.authenticationMs), 'From the upgrade to the first message.'],
    ],
  }),
  rowOf(heartbeat),
  controlRow('lifetime/idle', {
    denies: 'no message comes for the bound',
    default: durationInWords(DEFAULTS.idleMs),
    meets: ['ASVS-7.1.1'],
    keys: [
      [
        'after',
        'Duration',
        durationInWords(DEFAULTS.idleMs),
        'Without a message in either direction. Pings and pongs do not count.',
      ],
      OFF,
    ],
  }),
  controlRow('lifetime/age', {
    denies: 'it is older than the absolute bound',
    default: `${durationInWords(DEFAULTS.ageMs)} (client reconnects)`,
    meets: ['ASVS-7.1.1'],
    notProbed: 'the bound is hours: a probe that waits as long is none',
    keys: [['max', 'Duration', durationInWords(DEFAULTS.ageMs), 'Greatest age of a connection.'], OFF],
  }),
  controlRow('lifetime/session', {
    denies: 'the session expired, was revoked, or fails re-validation',
    default: SESSION,
    meets: ['ASVS-7.1.1', 'ASVS-7.2.4', 'ASVS-7.4.1', 'WS-31', 'S4'],
    keys: [
      ['recheck', 'Duration', durationInWords(DEFAULTS.recheckMs), 'Between look-ups of a live connection’s session.'],
      [
        'grace',
        'Duration',
        durationInWords(DEFAULTS.graceMs),
        'How long a connection lives on without an answer, counted from the last yes. Longer by default where `recheck` is: twice as long.',
      ],
      [
        'remember',
        'Duration',
        durationInWords(DEFAULTS.rememberMs),
        'How long a revocation is remembered whose sessions have no known later expiry: as long as a session can live.',
      ],
      OFF,
    ],
  }),
  controlRow('lifetime/backpressure', {
    denies: 'the peer does not read: queued bytes exceed the bound',
    default: `${sizeInWords(DEFAULTS.backpressureBytes)}, ${durationInWords(DEFAULTS.backpressureMs)}`,
    keys: [
      ['bytes', 'Size', sizeInWords(DEFAULTS.backpressureBytes), 'Bytes queued for one peer.'],
      ['for', 'Duration', durationInWords(DEFAULTS.backpressureMs), 'How long the queue may stay above it.'],
    ],
  }),
  controlRow('lifetime/shutdown', {
    denies: 'the server drains: 1012 with server-side jitter',
    default: durationInWords(DEFAULTS.shutdownMs),
    notProbed: 'only the operator can make the server drain',
    keys: [['within', 'Duration', durationInWords(DEFAULTS.shutdownMs), 'The closes are spread over this time.']],
  }),
]
