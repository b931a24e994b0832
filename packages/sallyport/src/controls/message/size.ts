import type { Budget } from '../../model/store.ts'
import { PASS, type Verdict } from '../../model/verdict.ts'
import { refuseIdle } from '../../shape/fields.ts'
import { budget, count, size as bytesOf } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { show } from '../../shape/shown.ts'
import { budgetInWords, sizeInWords } from '../../shape/words.ts'
import type { ControlContext } from '../context.ts'
import { defineControl, denying, on } from '../definition.ts'
import { ticket } from '../handshake/ticket.ts'
import { excessMs, spent } from './gcra.ts'
import type { MessageCheck, MessageConnection, MessageOf } from './message-control.ts'

/** `message.size` of a parsed policy. */
export interface SizeSection {
  readonly bytes: number
  readonly fragments: number
  readonly unauthenticatedBytes: number
  readonly controlFrames: Budget
}

const BYTES = 64 * 1024
const FRAGMENTS = 64
const UNAUTHENTICATED_BYTES = 4096
const CONTROL_FRAMES: Budget = Object.freeze({ amount: 60, perMs: 60_000, burst: 60 })

const KEYS = {
  bytes: key(
    bytesOf,
    BYTES,
    'One message, after inflation. A frame header that announces more is refused before its payload is read.',
    { because: 'OWASP WS-17: 64 KB or less' },
  ),
  fragments: key(count(1, 1_000_000), FRAGMENTS, 'Fragments of one message.', {
    because:
      'a sender that streams 64 KiB in 1 KiB fragments passes; tiny fragments that exhaust memory (CVE-2026-48779) do not',
  }),
  unauthenticatedBytes: key(bytesOf, UNAUTHENTICATED_BYTES, 'The first message in first-message mode.', {
    because: '`{"type":"auth","csrfToken":…}` is below 1 KiB; a stranger gets no more buffer than a JWT needs',
  }),
  controlFrames: key(budget('frames'), CONTROL_FRAMES, 'Pings and pongs of one connection.', {
    because: 'a ping a second; each is answered, so each costs twice',
  }),
}
export type SizeInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_MESSAGE_TOO_BIG: {
    action: 'close',
    close: 1009,
    level: 'warn',
    event: 'input_validation_fail',
    requirements: ['S9', 'WS-17', 'RFC-10.4'],
    means: 'a message, or the frames announced for it, exceed the bound in bytes',
    remedy: 'Raise `message.size.bytes`, or upload over HTTP.',
    tells: {
      message: 'more than {bytes} bytes',
      first: 'the first message is {bytes} bytes, over {most}',
      post: 'a post of more than {bytes} bytes',
      wire: '{fault}',
    },
  },
  SALLY_MESSAGE_FRAGMENTS: {
    action: 'close',
    close: 1009,
    level: 'warn',
    event: 'malicious_extraneous',
    requirements: ['S9', 'WS-17', 'RFC-10.4'],
    means: 'a message came in more fragments than the bound',
    remedy: 'Raise `message.size.fragments` if honest clients split so finely.',
    tells: '{fault}',
  },
  SALLY_CONTROL_FRAMES: {
    action: 'close',
    close: 1008,
    level: 'warn',
    event: 'excess_rate_limit_exceeded',
    requirements: ['S7', 'WS-18'],
    means: 'more ping or pong frames than the bound',
    remedy: 'Raise `message.size.controlFrames`.',
    tells: 'more than {amount} in {perMs} ms',
  },
} as const
const deny = denying(DENIALS)

/**
 * Denies a message of more than `message.size.bytes` bytes. The transport enforces the same bound before it uses
 * memory. This second check is for transports that cannot.
 */
export const size = defineControl({
  id: 'message/size',
  denies: 'bytes, fragments, buffered chunks, control-frame floods exceed the bound; smaller before authentication',
  default: `${sizeInWords(BYTES)}, ${FRAGMENTS} fragments; ${sizeInWords(UNAUTHENTICATED_BYTES)} before authentication; ${budgetInWords(CONTROL_FRAMES, 'control frames')}`,
  meets: ['WS-31'],
  keys: KEYS,
  example: "size: { bytes: '64 KiB' }",
  denials: DENIALS,
  read(message, earlier): SizeSection {
    const section = openSection(message, { id: 'message/size', keys: KEYS })
    const bytes = section.value('bytes')
    const unauthenticatedBytes = section.value('unauthenticatedBytes', Math.min(UNAUTHENTICATED_BYTES, bytes))
    const hasFirst = earlier.sectionOf(ticket)?.carrier === 'first-message'
    if (!hasFirst) refuseIdle(section.fields, 'unauthenticatedBytes', "handshake.ticket.carrier: 'first-message'")
    if (unauthenticatedBytes > bytes) {
      const shown = show(section.said('unauthenticatedBytes'))
      const remedy = 'write less than message.size.bytes'
      section.refuse('unauthenticatedBytes', shown, `more than a session gets (${bytes})`, remedy)
    }
    const fragments = section.value('fragments')
    return Object.freeze({ bytes, fragments, unauthenticatedBytes, controlFrames: section.value('controlFrames') })
  },
  effective: ({ bytes, fragments, unauthenticatedBytes, controlFrames: frames }) =>
    on(
      `${sizeInWords(bytes)}, ${fragments} fragments, ${sizeInWords(unauthenticatedBytes)} before authentication, ${budgetInWords(frames, 'control frames')}`,
    ),
  compile({ message }: MessageOf<{ size: SizeSection }>): MessageCheck {
    const { bytes } = message.size
    const tooBig = deny('SALLY_MESSAGE_TOO_BIG', { reason: 'message', bytes })
    return subject => (subject.bytes <= bytes ? PASS : tooBig)
  },
})

/** A compiled check of one ping, pong or other control frame. */
export type ControlFrameCheck = (connection: MessageConnection) => Verdict

/**
 * Compiles the bound on control frames (`message.size.controlFrames`). The check runs for each frame that arrives. Each
 * ping of a flood costs a pong, and no bound on messages stops it (RFC 6455 §5.5).
 */
export function controlFrames(
  { message }: MessageOf<{ size: SizeSection }>,
  { now }: Pick<ControlContext, 'now'>,
): ControlFrameCheck {
  const { amount, perMs } = message.size.controlFrames
  const bound = message.size.controlFrames
  return connection => {
    const time = now()
    const excess = excessMs(connection.controlFrameTat, time, 1, bound)
    if (excess > 0) return deny('SALLY_CONTROL_FRAMES', { amount, perMs }, excess / 1000)
    connection.controlFrameTat = spent(connection.controlFrameTat, time, 1, bound)
    return PASS
  }
}
