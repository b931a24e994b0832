import { shutdown } from '../controls/lifetime/shutdown.ts'
import { backpressure } from '../controls/lifetime/backpressure.ts'
import { session } from '../controls/lifetime/session.ts'
import { age } from '../controls/lifetime/age.ts'
import { idle } from '../controls/lifetime/idle.ts'
import { heartbeat } from '../controls/lifetime/heartbeat.ts'
import { controlRow, rowOf } from './control-row.ts'
import type { ControlRow } from './control-row.ts'
import { DEFAULTS } from '../model/defaults.ts'
import { durationInWords } from '../shape/words.ts'

/** The controls that run while a connection is open, in the order of docs and reports. */
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
  rowOf(idle),
  rowOf(age),
  rowOf(session),
  rowOf(backpressure),
  rowOf(shutdown),
]
